"""Intents that get into each other's way: by wording, and by what cross-validation says."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rapidfuzz import fuzz, process

from knowledge_base.evaluation.finding import Finding, Kind
from knowledge_base.problem import Place
from knowledge_base.recognition.loader import KnowledgeBase

# Two intents are too close when this share of both their phrases is taken for the other's.
_TOO_CLOSE = 0.1
_TOO_CLOSE_PHRASES = 3
_SURELY_WRONG = 0.5
# Cosine of two phrases from which on they are nearly one. In the shipped knowledge base, 0.75 is
# where pairs begin that differ by what they add (「没收到」, 「没收到货」), not by what they ask.
_NEARLY_ONE = 0.75
_WORTH_COMPARING = 60  # rapidfuzz's ratio, in percent: cheap, and leaves one pair of 10,000
_STRIPE = 512
# A `not:` this unlike every phrase of its intent would not have been taken for it.
_FAR_COSINE = 0.12
_FAR_RATIO = 34


@dataclass(frozen=True)
class Written:
    """The phrases of a knowledge base as written and as learnt from."""

    kb: KnowledgeBase

    @cached_property
    def origins(self) -> Mapping[tuple[str, str], tuple[str, Place]]:
        """(Normalised phrase, intent) → the phrase as written, and where."""
        normalize = self.kb.recognizer.normalizer.normalize
        found: dict[tuple[str, str], tuple[str, Place]] = {}
        for intent in self.kb.intents.values():
            for n, phrase in enumerate(intent.asks):
                origin = phrase, self.kb.places[intent.id, "ask", n]
                found.setdefault((normalize(phrase), intent.id), origin)
        return found

    @cached_property
    def by_intent(self) -> Mapping[str, list[str]]:
        """Intent → its normalised phrases."""
        found: dict[str, list[str]] = defaultdict(list)
        for phrase, number in self.kb.material.phrases:
            found[self.kb.material.intents[number]].append(phrase)
        return found

    def nearest(self, phrase: str, intent: str) -> tuple[str, Place] | None:
        """The phrase of an intent that a normalised text is most like, as written."""
        found = process.extractOne(phrase, self.by_intent.get(intent, []), scorer=fuzz.ratio)
        return self.origins[found[0], intent] if found else None

    def cosine(self, one: str, other: str) -> float:
        """Return how alike two normalised texts are to the classifier, in [0, 1]."""
        row = self.kb.recognizer.model.vectorizer.row
        (columns, values), (others, weights) = row(one), row(other)
        _, mine, theirs = np.intersect1d(columns, others, return_indices=True)
        return float(values[mine] @ weights[theirs])


def closeness_findings(kb: KnowledgeBase) -> Iterator[Finding]:
    """Nearly equal wordings, intents too close, phrases in the wrong place, ``not:`` in vain."""
    written = Written(kb)
    yield from _nearly_one(written)
    yield from _left_out(written)
    yield from _useless_nots(written)


def _nearly_one(written: Written) -> Iterator[Finding]:
    kb = written.kb
    names, normalize = kb.material.intents, kb.recognizer.normalizer.normalize
    refused = {
        (normalize(phrase), intent.id) for intent in kb.intents.values() for phrase in intent.nots
    }
    for one, other in _worth_comparing(kb):
        (first, a), (second, b) = kb.material.phrases[one], kb.material.phrases[other]
        if first == second or (first, names[b]) in refused or (second, names[a]) in refused:
            continue  # a conflict, which is told elsewhere; or settled already
        likeness = written.cosine(first, second)
        if likeness >= _NEARLY_ONE:
            said, _ = written.origins[first, names[a]]
            also, place = written.origins[second, names[b]]
            there = written.origins[first, names[a]][1]
            text = f"“{also}”（{names[b]}）和 “{said}”（{names[a]}，{there}）几乎一样"
            hint = "放错的移走；两句都要，就把话说完整，让人一看就知道问的是哪件事"
            yield Finding(place, Kind.NEAR_CONFLICT, text, hint, weight=likeness)


def _worth_comparing(kb: KnowledgeBase) -> Iterator[tuple[int, int]]:
    """Pairs of phrases of different intents whose spelling is somewhat alike."""
    texts = [phrase for phrase, _ in kb.material.phrases]
    owner = np.array([number for _, number in kb.material.phrases])
    for start in range(0, len(texts), _STRIPE):
        ratios = process.cdist(
            texts[start : start + _STRIPE],
            texts,
            scorer=fuzz.ratio,
            score_cutoff=_WORTH_COMPARING,
            dtype=np.uint8,
            workers=-1,
        )
        rows, columns = np.nonzero(ratios)
        rows += start
        kept = (rows < columns) & (owner[rows] != owner[columns])
        yield from zip(rows[kept].tolist(), columns[kept].tolist(), strict=True)


def _left_out(written: Written) -> Iterator[Finding]:
    """Yield what cross-validation found: phrases nearer to another intent, intents too close."""
    kb = written.kb
    trial, names = kb.recognizer.model.trial, kb.material.intents
    confused: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for (phrase, number), best, sure in zip(
        kb.material.phrases, trial.best.tolist(), trial.confidence.tolist(), strict=True
    ):
        wanted, taken = names[number], names[best]
        if taken == wanted:
            continue
        confused[wanted, taken].append((sure, phrase))
        if sure >= _SURELY_WRONG:
            yield _misplaced(written, phrase, wanted, taken, sure)
    sizes = Counter(names[number] for _, number in kb.material.phrases)
    for one, other in sorted({(min(pair), max(pair)) for pair in confused}):
        there, back = confused.get((one, other), []), confused.get((other, one), [])
        share = (len(there) + len(back)) / (sizes[one] + sizes[other])
        if len(there) + len(back) >= _TOO_CLOSE_PHRASES and share >= _TOO_CLOSE:
            examples = [
                f"“{written.origins[max(phrases)[1], intent][0]}”（{intent}）"
                for phrases, intent in ((there, one), (back, other))
                if phrases
            ]
            text = (
                f"{one} 和 {other} 共 {sizes[one] + sizes[other]} 条问法，"
                f"有 {len(there) + len(back)} 条会认成对方，如 {'、'.join(examples)}"
            )
            hint = "意思一样就合并成一个；不一样就在两边各补几条点明区别的问法"
            place = next(i.place for i in kb.intents.values() if i.id == one)
            yield Finding(place, Kind.TOO_CLOSE, text, hint, weight=share)


def _misplaced(written: Written, phrase: str, wanted: str, taken: str, sure: float) -> Finding:
    said, place = written.origins[phrase, wanted]
    like = written.nearest(phrase, taken)
    near = f"，那边最像的是 “{like[0]}”" if like else ""
    text = f"“{said}”（{wanted}）像是 {taken}，把握 {sure:.2f}{near}"
    hint = f"放错了就移到 {taken}；没放错就给 {wanted} 补两三条相近的问法，或写进 {taken} 的 not"
    return Finding(place, Kind.MISPLACED, text, hint, weight=sure)


def _useless_nots(written: Written) -> Iterator[Finding]:
    """``not:`` that is nothing like the intent: it would never have been taken for it."""
    kb = written.kb
    normalize = kb.recognizer.normalizer.normalize
    for intent in kb.intents.values():
        phrases = written.by_intent.get(intent.id, [])
        for n, phrase in enumerate(intent.nots):
            text = normalize(phrase)
            found = process.extractOne(text, phrases, scorer=fuzz.ratio)
            is_near = found is not None and found[1] >= _FAR_RATIO
            if is_near or any(written.cosine(text, known) >= _FAR_COSINE for known in phrases):
                continue
            said = f"“{phrase}” 和 {intent.id} 的问法一点都不像，不写也不会认成它"
            place = kb.places[intent.id, "not", n]
            yield Finding(place, Kind.USELESS_NOT, said, "删掉；not 只写容易认错的话")
