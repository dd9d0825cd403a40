"""Check of a knowledge base that loads for what is weak in it: for ``kefu kb check``."""

from collections.abc import Iterator

from knowledge_base.evaluation.aliases import alias_findings, clashing_group
from knowledge_base.evaluation.closeness import closeness_findings
from knowledge_base.evaluation.finding import Finding, Kind, Severity
from knowledge_base.recognition.exact import exact_key
from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.recognition.recognition import Band
from knowledge_base.source.intent import Intent
from knowledge_base.source.runaway import runaway
from knowledge_base.source.templates import SHOP_VARIABLES
from knowledge_base.source.tool_spec import ToolSpec

ENOUGH_PHRASES = 10
_KINDS = list(Kind)


def check(kb: KnowledgeBase) -> tuple[Finding, ...]:
    """Everything worth improving: errors first, then by kind, the worst of each kind first."""
    found = [
        *_claims(kb),
        *_slow_patterns(kb),
        *_tests(kb),
        *_few_phrases(kb),
        *alias_findings(kb),
        *closeness_findings(kb),
    ]
    return tuple(
        sorted(
            found,
            key=lambda f: (not f.is_error, _KINDS.index(f.kind), -f.weight, f.place, f.text),
        )
    )


def explain(tool: ToolSpec) -> str:
    """Return a tool's slots, variables and outcomes, for whoever writes answers."""
    lines = [f"工具 {tool.name}（{tool.title}）", "会向顾客要的 (slots):"]
    lines += [f"  {slot.name:<22} {slot.title}：{slot.shape}" for slot in tool.slots]
    lines.append("变量，在答案里写 {{ 名字 }} (variables):")
    lines += [f"  {name:<22} {words}" for name, words in tool.variables.items()]
    lines += [f"  {name:<22} {words}" for name, words in SHOP_VARIABLES.items()]
    lines.append("结果，可在 outcomes: 里改写说法 (outcomes):")
    lines += [f"  {name:<22} {outcome.explained}" for name, outcome in tool.outcomes.items()]
    return "\n".join(lines)


def _claims(kb: KnowledgeBase) -> Iterator[Finding]:
    """Phrases claimed twice: by two intents (they cannot both be right), or by one."""
    normalize = kb.recognizer.normalizer.normalize
    first: dict[str, tuple[Intent, int]] = {}
    outside = {exact_key(normalize(phrase)) for phrase in kb.source.out_of_scope}
    for intent in kb.intents.values():
        refused = {exact_key(normalize(phrase)) for phrase in intent.nots}
        for n, phrase in enumerate(intent.asks):
            key, place = exact_key(normalize(phrase)), kb.places[intent.id, "ask", n]
            for where, keys in (("out_of_scope", outside), ("它自己的 not", refused)):
                if key in keys:
                    text = f"“{phrase}” 既是 {intent.id} 的问法，又在 {where} 里"
                    yield Finding(place, Kind.CONFLICT, text, "删掉其中一处", Severity.ERROR)
            claim = (intent, n)
            other, m = first.setdefault(key, claim)
            if other.id != intent.id:
                yield _claimed_twice(kb, other, m, intent, n)
            elif m != n:
                there = kb.places[other.id, "ask", m]
                text = f"“{phrase}” 和 “{other.asks[m]}”（第 {there.line} 行）对机器人是同一句"
                yield Finding(place, Kind.REPEATED, text, "删掉一条")


def _claimed_twice(kb: KnowledgeBase, one: Intent, m: int, other: Intent, n: int) -> Finding:
    """The same wording in two intents, by itself or by a group of synonyms."""
    said, again = one.asks[m], other.asks[n]
    there, place = kb.places[one.id, "ask", m], kb.places[other.id, "ask", n]
    group = clashing_group(kb, said, again)
    if group is None:
        text = f"“{again}” 同时是 {one.id}（{there}）和 {other.id} 的问法"
        return Finding(place, Kind.CONFLICT, text, "只留在一个意图里", Severity.ERROR)
    words = "、".join(kb.source.synonyms[group][:3])
    text = (
        f"同义词 [{words}…] 让 “{said}”（{one.id}，{there}）"
        f"和 “{again}”（{other.id}，{place}）变成了同一句"
    )
    hint = "意思不同的词不要放在一组；意思相同就只留一条问法"
    place = kb.places["", "synonyms", group]
    return Finding(place, Kind.SYNONYM_CLASH, text, hint, Severity.ERROR)


def _slow_patterns(kb: KnowledgeBase) -> Iterator[Finding]:
    """Regular expressions that take too long on a text made for it."""
    for intent in kb.intents.values():
        for n, pattern in enumerate(intent.patterns):
            if runaway(pattern) is None:
                continue
            text = f"{intent.id} 的正则 “{pattern}” 碰上某些话会算不完，拖慢所有顾客"
            hint = "别让 +、* 里面再套 +、*，写死个数，或者删掉这条，改成 ask 里的问法"
            place = kb.places[intent.id, "patterns", n]
            yield Finding(place, Kind.SLOW_PATTERN, text, hint, Severity.ERROR)


def _tests(kb: KnowledgeBase) -> Iterator[Finding]:
    """``test:`` phrases that are taken for another intent, or for nothing."""
    for intent in kb.intents.values():
        asked = {exact_key(kb.recognizer.normalizer.normalize(phrase)) for phrase in intent.asks}
        hint = f"给 {intent.id} 的 ask 加几条类似的说法"
        for n, phrase in enumerate(intent.tests):
            place = kb.places[intent.id, "test", n]
            found = kb.recognizer.recognize(phrase)
            best = found.candidates[0] if found.candidates else None
            if exact_key(kb.recognizer.normalizer.normalize(phrase)) in asked:
                text = f"test 里的 “{phrase}” 也在 ask 里，测不出什么"
                yield Finding(place, Kind.TEST_LEARNT, text, "从 ask 或 test 中删掉一处")
            if best is None or best.intent != intent.id:
                taken = f"认成了 {best.intent}（{best.confidence:.2f}）" if best else "没认出来"
                text = f"test 里的 “{phrase}” 应是 {intent.id}，{taken}"
                yield Finding(place, Kind.TEST_FAILED, text, hint, Severity.ERROR)
            elif found.band is Band.MISS:
                text = f"test 里的 “{phrase}” 把握太小（{best.confidence:.2f}），机器人不会答"
                yield Finding(place, Kind.TEST_FAILED, text, hint, Severity.ERROR)


def _few_phrases(kb: KnowledgeBase) -> Iterator[Finding]:
    for intent in kb.intents.values():
        if len(intent.asks) < ENOUGH_PHRASES and not intent.patterns:
            text = f"{intent.id}（{intent.title}）只有 {len(intent.asks)} 条问法"
            hint = f"写到 {ENOUGH_PHRASES} 条以上，抄顾客的原话；每多 5 条，认得准 6–10 个百分点"
            yield Finding(
                intent.place, Kind.FEW_PHRASES, text, hint, weight=ENOUGH_PHRASES - len(intent.asks)
            )
