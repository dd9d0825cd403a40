"""Findings as a list to work through: by kind, the worst of each first."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from knowledge_base.evaluation.finding import Finding, Kind

SHOWN = 10
"""Findings of a kind that are shown unless all are asked for."""

# What a kind means, and what to do about it.
_HEADINGS = {
    Kind.CONFLICT: (
        "同一句话，两处都要",
        "机器人不知道该听谁的，只能反问顾客。留下一处，另一处删掉。",
    ),
    Kind.SYNONYM_CLASH: (
        "同义词把两个意图的问法变成了同一句",
        "意思不同的词不要放在一组。拆开这一组，或者只留一条问法。",
    ),
    Kind.SLOW_PATTERN: (
        "会算不完的正则",
        "碰上某些话，机器人要算很久。运行时最多算一眨眼就放弃，但这条也就不起作用了。",
    ),
    Kind.TEST_FAILED: (
        "test 里的句子没认对",
        "这是您要求一定要认对的。给那个意图的 ask 补几条相近的说法，再检查一次。",
    ),
    Kind.NEAR_CONFLICT: (
        "几乎一样的话，写在两个意图里",
        "放错的移走；两句都要留，就把话说完整，让人一看就知道问的是哪件事。",
    ),
    Kind.TOO_CLOSE: (
        "两个意图太像，常常互相认错",
        "意思一样就合并成一个；不一样就在两边各补几条点明区别的问法。",
    ),
    Kind.MISPLACED: (
        "问法更像别的意图",
        "假如没写这一句，顾客这么说就会被答成别的。放错了就移过去；没放错就给它的意图补两三条\n"
        "  相近的问法，或写进对方的 not。只是挨得近、两边都说得通的，可以不管。",
    ),
    Kind.FEW_PHRASES: (
        "问法太少",
        "写到 10 条以上，抄顾客的原话最好。每多 5 条，认得准 6–10 个百分点。",
    ),
    Kind.SYNONYM_CHAIN: (
        "同义词互相打架",
        "一个词只能在一组里，标准词里也不要含有别组的词。",
    ),
    Kind.DEAD_SYNONYM: ("没用上的同义词", "删掉，或者在 ask 里用上它的标准词（每组第一个）。"),
    Kind.USELESS_NOT: ("多余的 not", "和这个意图不像，不写也不会认错。删掉，只留容易认错的话。"),
    Kind.TEST_LEARNT: ("test 和 ask 重复", "学过的句子测不出什么，删掉其中一处。"),
    Kind.REPEATED: ("重复的问法", "对机器人是同一句，删掉一条就好。"),
}


def as_text(findings: Sequence[Finding], *, shows_all: bool = False) -> str:
    """The list for a person; empty where nothing was found.

    Args:
        findings: As ``check`` sorts them.
        shows_all: Show all of a kind, not only the worst.
    """
    return "\n".join(_lines(findings, shows_all=shows_all))


def _lines(findings: Sequence[Finding], *, shows_all: bool) -> Iterator[str]:
    for (is_error, kind), group in groupby(
        findings, key=lambda finding: (finding.is_error, finding.kind)
    ):
        found = list(group)
        title, advice = _HEADINGS[kind]
        yield f"{'✗ 要改' if is_error else '• 建议'}｜{title}：{len(found)} 处 ({kind.value})"
        yield f"  {advice}"
        shown = found if shows_all else found[:SHOWN]
        yield from (f"    {finding.place}  {finding.text}" for finding in shown)
        if len(shown) < len(found):
            yield f"    另有 {len(found) - len(shown)} 条，用 --all 看全部"
        yield ""
