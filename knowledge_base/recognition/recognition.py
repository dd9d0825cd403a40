"""Recognition of intents: exact phrase, pattern, then classifier and typos, in one confidence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from knowledge_base.model.classifier import scores
from knowledge_base.model.fitted import Model
from knowledge_base.model.fuzzy import Fuzzy
from knowledge_base.recognition.exact import Exact, exact_key
from knowledge_base.recognition.guards import Guards
from knowledge_base.source.intent import IntentId
from knowledge_base.source.patterns import Patterns
from knowledge_base.text.homophones import Homophones
from knowledge_base.text.normalize import Normalizer
from knowledge_base.text.questions import (
    Clause,
    announced,
    asked,
    clauses,
)

MAX_CANDIDATES = 5
MAX_CHOICES = 3
# Of a longer message only this much of each end is looked at: the question stands there, and
# segmenting 10,000 characters would cost tens of milliseconds.
END_CHARS = 300
MAX_QUESTIONS = 3
_MAX_CLAUSES = 8
_FEW_CLAUSES = 4  # more make a story, in which not every clause is a question
_LONG = 32  # characters, or Latin words
_CLAUSE_SHARE = 0.9  # of a clause's confidence, since the rest of the message is not explained
# Two intents this near each other are asked about: on three labelled sets it took a fifth to a half
# of the wrong answers for one answer in a hundred that would have been right.
_CLOSE_CALL = 0.08
_OWN_QUESTION = 0.8  # a clause asks a question of its own from this confidence on,
_APART = 0.3  # and when its best intent leads by this much
_SAID = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|\w")
_FRAGMENT_CHARS = 14  # what is longer says by itself what it means; a Latin word counts as one
_SHORT_CHARS = 8
_CONTEXT_SHARE = 0.6
_ADDED = 0.05  # confidence that a fragment must add to an intent to have spoken of it
_GOES_ON = re.compile(
    r"那|还是|仍然|依然|又|再|然后|接着|所以|但是?|可是|不过|为什么|怎么|多久|几天|什么时候|要(?:等|多|几)|这|它|"
    r"not working|still|again|then|so |but |why|how long|when|what about|it |and "
)
_SURE = 1.0
_PATTERN = 0.97
_AFTER_EXACT = 0.5  # others beside an exact match count this much


class Band(StrEnum):
    """Reaction that a confidence permits."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Lowest confidences, in [0, 1]; ``clarify`` is not above ``answer``."""

    answer: float
    clarify: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An intent that may be meant.

    Attributes:
        intent: Its id.
        confidence: In [0, 1]; comparable between messages, need not sum to 1.
        source: "exact", "pattern", "classifier" (typos and short names are part of its score) or
            "context" (together with the question before).
    """

    intent: IntentId
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Recognition:
    """Intents that one question was taken for, and why.

    Attributes:
        text: The stretch of the utterance that this speaks of, in its original wording.
        candidates: Best first, at most 5, distinct intents; empty if nothing is alike.
        band: What the best one's confidence permits.
        rule: Why, in a word: "exact", "exact_conflict", "pattern", "sure", "close_call",
            "below_answer", "below_clarify", "out_of_scope", "nothing_known", "context".
    """

    text: str
    candidates: tuple[Candidate, ...]
    band: Band
    rule: str

    @property
    def choices(self) -> tuple[Candidate, ...]:
        """Return the candidates to offer when asking back: at most three."""
        return self.candidates[:MAX_CHOICES]


# Texts of one message that were classified already.
_Known = dict[str, list[Candidate]]


@dataclass(frozen=True, slots=True)
class Recognizer:
    """The cascade. Immutable, thread-safe; built by ``loader.load``.

    Attributes:
        normalizer: One spelling.
        homophones: The shop's words for what only sounds like them.
        exact: Whole phrases.
        patterns: Regular expressions.
        guards: Things that are not the shop's.
        fuzzy: Similarity to single phrases.
        model: The fitted classifier.
        intents: Class number → intent.
        thresholds: The bands.
    """

    normalizer: Normalizer
    homophones: Homophones
    exact: Exact
    patterns: Patterns
    guards: Guards
    fuzzy: Fuzzy
    model: Model
    intents: tuple[IntentId, ...]
    thresholds: Thresholds

    def spelt(self, text: str) -> str:
        """The text as all of the cascade sees it. Any text is accepted."""
        return self.homophones.corrected(self.normalizer.normalize(text))

    def recognize(self, text: str) -> Recognition:
        """Take the text for one question. Any text is accepted, of any length.

        Greetings and thanks around a question are not looked at. Where a long message says nothing
        as a whole, a question in one of its clauses counts nearly as much as if it stood alone.
        """
        shown = _ends(text)
        parts = clauses(shown, self.spelt)
        return self._recognize(text, shown, self._whole(shown, parts), parts, {})

    def questions(self, text: str, before: str = "") -> tuple[Recognition, ...]:
        """One to three questions of a message, in its order.

        There is more than one only where the message says that another one follows and both are
        about something, or where clauses are surely about different intents; otherwise it is taken
        whole, as by ``recognize``.

        Args:
            before: The question that was understood last, if it was just now. A fragment that
                says too little by itself (「那要多久」) is understood together with it.
        """
        shown = _ends(text)
        parts = clauses(shown, self.spelt)
        known: _Known = {}
        whole = self._recognize(text, shown, self._whole(shown, parts), parts, known)
        if before and self._is_fragment(whole, parts):
            return (self._in_context(whole, parts, before, known),)
        if len(parts) < 2 or whole.rule == "exact":  # noqa: PLR2004  one clause, one question
            return (whole,)
        apart = self._apart(announced(shown), known)
        if len(apart) > 1 and any(question.band is Band.ANSWER for question in apart):
            return apart
        apart = self._apart(asked(shown), known)
        if len(apart) > 1 and all(_is_own_question(question) for question in apart):
            return apart
        if len(parts) > _FEW_CLAUSES:
            return (whole,)
        sure: dict[IntentId, Recognition] = {}
        said = ""
        for part in parts:
            found = self._recognize(part.text, part.text, part.normalized, (part,), known)
            goes_on = said and not _asked_before(shown, part)
            if goes_on and self._is_fragment(found, (part,)):
                found = self._in_context(found, (part,), said, known)
            else:
                said = part.text
            if _stands_alone(found):
                sure.setdefault(found.candidates[0].intent, found)
        if len(sure) < 2:  # noqa: PLR2004
            return (whole,)
        return tuple(sure.values())[:MAX_QUESTIONS]

    def _whole(self, shown: str, parts: tuple[Clause, ...]) -> str:
        """The text in its one spelling, which its only clause may be already."""
        is_one = len(parts) == 1 and parts[0].text == shown.strip()
        return parts[0].normalized if is_one else self.spelt(shown)

    def _apart(self, texts: tuple[str, ...], known: _Known) -> tuple[Recognition, ...]:
        """Recognise each part of a message; keep those answered or asked back, each intent once."""
        found: dict[IntentId, Recognition] = {}
        for said in texts[: MAX_QUESTIONS if len(texts) > 1 else 0]:
            parts = clauses(said, self.spelt)
            if parts:
                one = self._recognize(said, said, self._whole(said, parts), parts, known)
                if one.band is not Band.MISS:
                    found.setdefault(one.candidates[0].intent, one)
        return tuple(found.values())

    def _recognize(
        self, text: str, shown: str, normalized: str, parts: tuple[Clause, ...], known: _Known
    ) -> Recognition:
        core = " ".join(part.normalized for part in parts) or normalized
        keys = dict.fromkeys((exact_key(normalized), exact_key(core)))
        refused = frozenset(
            name for key in keys for name in self.exact.not_these.get(key, frozenset())
        )
        learnt = [
            found for found in self._focused(core, parts, known) if found.intent not in refused
        ]
        for key in keys:
            exact = [name for name in self.exact.intents.get(key, ()) if name not in refused]
            if exact:
                candidates = _with_settled(exact, _SURE, "exact", learnt)
                if len(exact) == 1:
                    return Recognition(text, candidates, Band.ANSWER, "exact")
                return Recognition(text, candidates, Band.CLARIFY, "exact_conflict")
            if key in self.exact.out_of_scope:
                return Recognition(text, (), Band.MISS, "out_of_scope")
        matched = [name for name in self.patterns.match(normalized, shown) if name not in refused]
        if matched:
            band = Band.ANSWER if len(matched) == 1 else Band.CLARIFY
            candidates = _with_settled(matched, _PATTERN, "pattern", learnt)
            return Recognition(text, candidates, band, "pattern")
        candidates = tuple(learnt[:MAX_CANDIDATES])
        band, rule = self._band(candidates)
        return Recognition(text, candidates, band, rule)

    def _focused(self, core: str, parts: tuple[Clause, ...], known: _Known) -> list[Candidate]:
        """Candidates of the whole; of its clauses, where it is long and says nothing as a whole.

        Clauses of a story look like questions of their own: looking at them always took two points
        of accuracy and let through twice as many strangers on three blind sets.
        """
        whole = self._learnt(core, known)
        is_heard = bool(whole) and whole[0].confidence >= self.thresholds.clarify
        if is_heard or len(parts) < 2 or len(_SAID.findall(core)) < _LONG:  # noqa: PLR2004
            return whole
        best = {found.intent: found for found in whole}
        for part in parts[:_MAX_CLAUSES]:
            for found in self._learnt(part.normalized, known):
                sure = found.confidence * _CLAUSE_SHARE
                if found.intent not in best or sure > best[found.intent].confidence:
                    best[found.intent] = Candidate(found.intent, sure, found.source)
        return sorted(best.values(), key=lambda found: -found.confidence)

    def _is_fragment(self, whole: Recognition, parts: tuple[Clause, ...]) -> bool:
        """Tell whether it is short and goes on from before, or is unclear and not much longer."""
        length = sum(len(_SAID.findall(part.normalized)) for part in parts)
        if whole.rule == "sure":
            goes_on = _GOES_ON.match(" ".join(part.normalized for part in parts))
            return goes_on is not None and length <= _SHORT_CHARS
        is_unclear = whole.rule in {"close_call", "below_answer", "below_clarify", "nothing_known"}
        return is_unclear and 0 < length <= _FRAGMENT_CHARS

    def _in_context(
        self, whole: Recognition, parts: tuple[Clause, ...], before: str, known: _Known
    ) -> Recognition:
        """A fragment as the continuation of the question before it.

        What the two say together counts where it says more than the earlier question alone: 「我要
        退款」 then 「那要几天」 asks for the refund. Where the fragment says nothing of its own but
        goes on (「还是不行」), the earlier question is meant once more.
        """
        earlier = " ".join(part.normalized for part in clauses(_ends(before), self.spelt))
        fragment = " ".join(part.normalized for part in parts)
        alone = {found.intent: found.confidence for found in self._learnt(earlier, known)}
        if not alone:
            return whole
        running = max(alone, key=alone.__getitem__)
        own = {found.intent: found for found in whole.candidates}
        left = 1 - _CONTEXT_SHARE if whole.band is Band.ANSWER else 1.0
        best = {name: replace(one, confidence=left * one.confidence) for name, one in own.items()}
        for found in self._learnt(f"{earlier} {fragment}", known):
            before_it = own[found.intent].confidence if found.intent in own else 0.0
            mixed = (1 - _CONTEXT_SHARE) * before_it + _CONTEXT_SHARE * found.confidence
            if found.intent == running:
                is_meant = before_it >= self.thresholds.clarify or _GOES_ON.match(fragment)
                sure = mixed if is_meant else before_it
            elif whole.band is Band.ANSWER:
                sure = mixed
            else:
                is_told = found.confidence > alone.get(found.intent, 0.0) + _ADDED
                sure = max(before_it, found.confidence if is_told else 0.0)
            best[found.intent] = Candidate(found.intent, sure, "context")
        says_something = any(
            name != running and found.confidence >= self.thresholds.clarify
            for name, found in best.items()
        )
        if not says_something and _GOES_ON.match(fragment):
            once_more = best[running].confidence if running in best else 0.0
            sure = max(alone[running], once_more) * _CLAUSE_SHARE
            best[running] = Candidate(running, sure, "context")
        ranked = sorted(best.values(), key=lambda found: -found.confidence)
        candidates = tuple(found for found in ranked if found.confidence > 0)[:MAX_CANDIDATES]
        band, rule = self._band(candidates)
        if band is Band.MISS is whole.band:
            return whole
        is_changed = band is not whole.band or candidates[:1] != whole.candidates[:1]
        return Recognition(whole.text, candidates, band, "context" if is_changed else rule)

    def _learnt(self, normalized: str, known: _Known) -> list[Candidate]:
        """Ask the model; a clause of a long message is asked about twice, hence ``known``."""
        if normalized not in known:
            classes, confidence = scores(self.model, self.fuzzy, normalized)
            candidates = [
                Candidate(self.intents[number], sure, "classifier")
                for number, sure in zip(classes.tolist(), confidence.tolist(), strict=True)
            ]
            known[normalized] = self._guarded(normalized, candidates)
        return known[normalized]

    def _guarded(self, normalized: str, candidates: list[Candidate]) -> list[Candidate]:
        """Lower the confidence of intents that do not speak of what the text names."""
        named = self.guards.named(normalized)
        if not named:
            return candidates
        judged = [
            replace(
                candidate,
                confidence=candidate.confidence * self.guards.share(candidate.intent, named),
            )
            for candidate in candidates
        ]
        return sorted(judged, key=lambda candidate: -candidate.confidence)

    def _band(self, candidates: tuple[Candidate, ...]) -> tuple[Band, str]:
        if not candidates:
            return Band.MISS, "nothing_known"
        best = candidates[0].confidence
        if best >= self.thresholds.answer:
            second = candidates[1].confidence if len(candidates) > 1 else 0.0
            is_close = best - second < _CLOSE_CALL
            return (Band.CLARIFY, "close_call") if is_close else (Band.ANSWER, "sure")
        if best >= self.thresholds.clarify:
            return Band.CLARIFY, "below_answer"
        return Band.MISS, "below_clarify"


def thresholds_of(model: Model, fixed: Mapping[str, float | None]) -> Thresholds:
    """The model's own thresholds, unless the admin fixed one or both."""
    answer, clarify = fixed.get("answer"), fixed.get("clarify")
    if answer is None:
        answer = max(model.answer, clarify or 0.0)
    return Thresholds(answer, min(model.clarify, answer) if clarify is None else clarify)


def _asked_before(shown: str, part: Clause) -> bool:
    """Tell whether a question mark ends what stands before a clause."""
    return shown[: max(0, shown.find(part.text))].rstrip()[-1:] in {"?", "？"}


def _stands_alone(found: Recognition) -> bool:
    """Tell whether it is surer than an answer needs: a story's clauses may look like questions."""
    if not found.candidates:
        return False
    first, *rest = found.candidates
    is_apart = not rest or first.confidence - rest[0].confidence >= _APART
    return is_apart and _is_own_question(found)


def _is_own_question(found: Recognition) -> bool:
    return found.band is Band.ANSWER and found.candidates[0].confidence >= _OWN_QUESTION


def _with_settled(
    settled: list[IntentId], confidence: float, source: str, learnt: list[Candidate]
) -> tuple[Candidate, ...]:
    first = [Candidate(name, confidence, source) for name in settled]
    rest = [
        Candidate(found.intent, found.confidence * _AFTER_EXACT, found.source)
        for found in learnt
        if found.intent not in settled
    ]
    return tuple((first + rest)[:MAX_CANDIDATES])


def _ends(text: str) -> str:
    return text if len(text) <= 2 * END_CHARS else f"{text[:END_CHARS]} {text[-END_CHARS:]}"
