"""Report to the admin of what was missed: how often, in which words, what to do."""

from collections.abc import Iterator

from knowledge_base.evaluation.missed import Advice, Cluster, Misses
from knowledge_base.recognition.loader import KnowledgeBase

SHOWN = 20
"""Clusters that are shown unless all are asked for."""
SHOWN_BRIEFLY = 20
"""The same of those that can wait."""


def as_text(misses: Misses, kb: KnowledgeBase, *, days: int, shows_all: bool = False) -> str:
    """The list for a person.

    Args:
        days: How far back it goes.
        shows_all: Every cluster, not only the 20 biggest.
    """
    return "\n".join(_lines(misses, kb, days=days, shows_all=shows_all))


def _lines(misses: Misses, kb: KnowledgeBase, *, days: int, shows_all: bool) -> Iterator[str]:
    if not misses.clusters:
        yield f"最近 {days} 天，没有机器人没听懂的话。"
    else:
        yield (
            f"最近 {days} 天，{misses.customers} 位顾客的 {misses.size} 句话没听懂，"
            f"或反问了没人选。相近的归在一起："
        )
    told_now = [cluster for cluster in misses.clusters if cluster.advice is not Advice.WAIT]
    waiting = [cluster for cluster in misses.clusters if cluster.advice is Advice.WAIT]
    shown = told_now if shows_all else told_now[:SHOWN]
    for n, cluster in enumerate(shown, 1):
        yield ""
        yield f"{n}. “{cluster.representative}”｜{_sizes(cluster)}，最近一次 {_day(cluster, kb)}"
        yield from (f"     “{example}”" for example in cluster.examples)
        yield f"   → {told(cluster, kb)}"
    if len(shown) < len(told_now):
        yield ""
        yield f"另有 {len(told_now) - len(shown)} 类，用 --all 看全部"
    if waiting:
        yield ""
        yield f"只有一位顾客说过的 {len(waiting)} 类，问得清楚的加到意图的 ask 里，其他的先放着："
        briefly = waiting if shows_all else waiting[:SHOWN_BRIEFLY]
        yield from (f"     “{cluster.representative}”{_maybe(cluster)}" for cluster in briefly)
        if len(briefly) < len(waiting):
            yield f"     另有 {len(waiting) - len(briefly)} 类，用 --all 看全部"
    yield from _left_out(misses)


def _sizes(cluster: Cluster) -> str:
    return f"{cluster.size} 句" + (f"，{cluster.customers} 位顾客" if cluster.customers > 1 else "")


def _day(cluster: Cluster, kb: KnowledgeBase) -> str:
    day = cluster.last_at.astimezone(kb.shop.zone)
    return f"{day.month} 月 {day.day} 日"


def _maybe(cluster: Cluster) -> str:
    return f"  也许是 {cluster.intent} {cluster.confidence:.2f}" if cluster.intent else ""


def _left_out(misses: Misses) -> Iterator[str]:
    if misses.answered_now:
        yield ""
        yield f"另外 {misses.answered_now} 句，现在的知识库已经能处理，没有列出。"
    if misses.too_many:
        yield f"太多了，较早的 {misses.too_many} 句没有比较；用 --days 看短一点。"


def told(cluster: Cluster, kb: KnowledgeBase) -> str:
    """Say in a sentence what to do about a cluster."""
    named = ""
    if cluster.intent is not None:
        named = f"{cluster.intent}（{kb.intents[cluster.intent].title}）"
    match cluster.advice:
        case Advice.ADD_PHRASE if cluster.chosen:
            return f"有 {cluster.chosen} 位顾客接着点了 {named}：加到它的 ask 里"
        case Advice.ADD_PHRASE:
            return f"最像 {named}，把握 {cluster.confidence:.2f}：问的是它，就加到它的 ask 里"
        case Advice.OUT_OF_SCOPE:
            todo = "听着不归店里管：放进 out_of_scope"
        case Advice.NEW_INTENT:
            todo = "还没有意图管这件事：归店里管就写一个新意图，不归就放进 out_of_scope"
        case Advice.WAIT:
            todo = "只有一位顾客这么说，可以先放着"
    if named:
        todo += f"；问的要是 {named}，把握 {cluster.confidence:.2f}，就加到它的 ask 里"
    return todo
