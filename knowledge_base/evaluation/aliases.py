"""Groups of synonyms that do nothing, and groups that do harm."""

from collections.abc import Iterator

from knowledge_base.evaluation.finding import Finding, Kind
from knowledge_base.recognition.exact import exact_key
from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.text.normalize import Normalizer

# Without a shop's words: what is left of a difference is what its synonyms made of it.
PLAIN = Normalizer()


def alias_findings(kb: KnowledgeBase) -> Iterator[Finding]:
    """Groups of one word, groups that no phrase uses, words in two groups, and chains."""
    yield from _dead(kb)
    yield from _in_two_groups(kb)
    yield from _chains(kb)


def clashing_group(kb: KnowledgeBase, one: str, other: str) -> int | None:
    """The group of synonyms that makes two different phrases equal.

    Args:
        one: As written.
        other: As written.

    Returns:
        Its place in the list of groups; ``None`` where they are equal without synonyms.
    """
    texts = [PLAIN.normalize(phrase) for phrase in (one, other)]
    if exact_key(texts[0]) == exact_key(texts[1]):
        return None
    for n, group in enumerate(kb.source.synonyms):
        words = {PLAIN.normalize(word) for word in group} - {""}
        used = [{word for word in words if word in text} for text in texts]
        if used[0] and used[1] and used[0] != used[1]:
            return n
    return None


def _dead(kb: KnowledgeBase) -> Iterator[Finding]:
    """Yield groups of one word, and groups whose head (all their words become it) is never used."""
    known = "\n".join(
        (
            *(phrase for phrase, _ in kb.material.phrases),
            *kb.material.titles,
            *(phrase for phrase, _ in kb.material.refused),
            *kb.material.outside,
        )
    )
    for n, group in enumerate(kb.source.synonyms):
        place = kb.places["", "synonyms", n]
        if len(group) == 1:
            text = f"“{group[0]}” 这一组只有一个词，没有可以替换的"
            yield Finding(place, Kind.DEAD_SYNONYM, text, "写成 [标准词, 别的说法, …]，或者删掉")
        elif kb.recognizer.normalizer.normalize(group[0]) not in known:
            text = f"没有一条问法用到 “{group[0]}” 这一组"
            yield Finding(place, Kind.DEAD_SYNONYM, text, "删掉这一组，或在 ask 里用上这个词")


def _in_two_groups(kb: KnowledgeBase) -> Iterator[Finding]:
    home: dict[str, int] = {}
    for n, group in enumerate(kb.source.synonyms):
        for word in group:
            other = home.setdefault(PLAIN.normalize(word), n)
            if other != n:
                text = f"“{word}” 在两组同义词里，只有 {kb.places['', 'synonyms', other]} 那组算数"
                place = kb.places["", "synonyms", n]
                yield Finding(place, Kind.SYNONYM_CHAIN, text, "只留在一组里", weight=1)


def _chains(kb: KnowledgeBase) -> Iterator[Finding]:
    """Yield words that become something else than their head, as another group takes them, too."""
    normalize = kb.recognizer.normalizer.normalize
    heads: dict[str, str] = {}
    for group in kb.source.synonyms:
        for word in group:
            heads.setdefault(PLAIN.normalize(word), group[0])
    for n, group in enumerate(kb.source.synonyms):
        place = kb.places["", "synonyms", n]
        for word in group:
            if heads[PLAIN.normalize(word)] != group[0]:
                continue  # it belongs to another group, which is told already
            became = normalize(word)
            if became != PLAIN.normalize(group[0]):
                text = f"“{word}” 本该当作 “{group[0]}”，却被别组的词改成了 “{became}”"
                hint = "标准词里不要含有别组的词；或者把两组合成一组"
                yield Finding(place, Kind.SYNONYM_CHAIN, text, hint)
                break
