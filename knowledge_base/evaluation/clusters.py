"""Utterances that were missed, alike ones together: for ``kefu kb missed``."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from knowledge_base.evaluation.missed import (
    SECRET,
    Advice,
    Cluster,
    Missed,
    Misses,
    masked_for_people,
)
from knowledge_base.model.arrays import Floats
from knowledge_base.model.tfidf import fit_vectorizer
from knowledge_base.recognition.exact import exact_key
from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.recognition.recognition import Band, Recognition
from knowledge_base.source.intent import IntentId

MAX_WORDINGS = 2_000
"""Different wordings that are compared, the newest: all with all, 32 MB."""
# Cosine from which on two wordings are about one thing. Of 600 labelled messages, 62 of 100 pairs
# that share a cluster have one intent; a lower value joins more pairs and more wrong ones.
ALIKE = 0.22
_EXAMPLES = 3
_MAYBE_SHARE = 0.75  # of the lowest confidence for asking back: the nearest intent is worth naming
# Mean margin of the background class from which on a cluster sounds like small talk. What a shop
# may well want to answer has margins up to this on the same messages.
_SMALL_TALK = 0.5


def cluster(kb: KnowledgeBase, missed: Sequence[Missed]) -> Misses:
    """Put alike utterances together. The same utterances give the same clusters, in any order.

    What today's knowledge base answers is left out: somebody has mended it since.
    """
    wordings, answered_now = _wordings(kb, missed)
    newest = sorted(wordings, key=lambda wording: (wording.last_at, wording.text), reverse=True)
    kept = sorted(newest[:MAX_WORDINGS], key=lambda wording: (-len(wording.said), wording.text))
    clusters = [_summed(kb, members) for members in _groups(kb, kept)]
    clusters.sort(key=lambda found: (-found.size, -found.customers, -found.last_at.timestamp()))
    return Misses(
        clusters=tuple(clusters),
        size=sum(len(wording.said) for wording in kept),
        customers=len({said.conversation for wording in kept for said in wording.said}),
        answered_now=answered_now,
        too_many=sum(len(wording.said) for wording in newest[MAX_WORDINGS:]),
    )


@dataclass(frozen=True)
class _Wording:
    """Utterances that normalise to one text.

    Attributes:
        text: Normalised.
        said: The newest first.
        taken: What today's knowledge base takes it for.
    """

    text: str
    said: tuple[Missed, ...]
    taken: Recognition

    @cached_property
    def last_at(self) -> datetime:
        return self.said[0].at

    @cached_property
    def shown(self) -> str:
        return masked_for_people(self.said[0].text)


def _wordings(kb: KnowledgeBase, missed: Sequence[Missed]) -> tuple[list[_Wording], int]:
    by_key: dict[str, list[Missed]] = defaultdict(list)
    newest = sorted(missed, key=lambda utterance: (utterance.at, utterance.text), reverse=True)
    for utterance in newest:
        spelt = kb.recognizer.spelt(SECRET.sub(" ", utterance.text))
        if any(char.isalnum() for char in spelt):
            by_key[exact_key(spelt)].append(utterance)
    found, answered = [], 0
    for said in by_key.values():
        text = SECRET.sub(" ", said[0].text)
        taken = kb.recognizer.recognize(text)
        if taken.band is Band.ANSWER or taken.rule == "out_of_scope":
            answered += len(said)
        else:
            found.append(_Wording(kb.recognizer.spelt(text), tuple(said), taken))
    return found, answered


def _groups(kb: KnowledgeBase, wordings: Sequence[_Wording]) -> list[list[_Wording]]:
    """Group wordings so that all of a group are alike, the one most like the others first.

    So no chain of small steps joins two matters.
    """
    if len(wordings) < 2:  # noqa: PLR2004  what is alone has nothing to be compared with
        return [[wording] for wording in wordings]
    likeness = _likeness(kb, [wording.text for wording in wordings])
    counts = np.array([len(wording.said) for wording in wordings])
    labels = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="complete", distance_threshold=1 - ALIKE
    ).fit_predict(1 - likeness)
    groups = []
    for label in range(labels.max() + 1):
        members = np.flatnonzero(labels == label)
        central = members[(likeness[np.ix_(members, members)] @ counts[members]).argmax()]
        groups.append([wordings[n] for n in (central, *members[members != central])])
    return groups


def _likeness(kb: KnowledgeBase, texts: Sequence[str]) -> Floats:
    """Cosines of all with all.

    The vocabulary is learnt from these texts, too: what was missed has words that the knowledge
    base does not have. Its phrases and everyday ones tell which words say little.
    """
    asked = [phrase for phrase, _ in kb.material.phrases]
    everyday = kb.material.background
    _, rows = fit_vectorizer([*texts, *asked, *everyday], len(everyday))
    missed = rows[: len(texts)]
    likeness: Floats = (missed @ missed.T).toarray()
    np.fill_diagonal(likeness, 1.0)
    return likeness


def _summed(kb: KnowledgeBase, members: Sequence[_Wording]) -> Cluster:
    leader, *others = members
    said = [utterance for member in members for utterance in member.said]
    nearest, confidence = _nearest(members)
    chosen = Counter(IntentId(utterance.chosen) for utterance in said if utterance.chosen)
    favourite = next((name for name, _ in chosen.most_common() if name in kb.intents), None)
    customers = len({utterance.conversation for utterance in said})
    intent = nearest if confidence >= _MAYBE_SHARE * kb.thresholds.clarify else None
    if favourite is not None:
        advice, intent = Advice.ADD_PHRASE, favourite
    elif customers == 1:
        advice = Advice.WAIT
    elif confidence >= kb.thresholds.clarify:
        advice = Advice.ADD_PHRASE
    else:
        advice = Advice.OUT_OF_SCOPE if _is_small_talk(kb, members) else Advice.NEW_INTENT
    shown = dict.fromkeys(other.shown for other in others if other.shown != leader.shown)
    return Cluster(
        size=len(said),
        customers=customers,
        representative=leader.shown,
        examples=tuple(shown)[:_EXAMPLES],
        last_at=max(utterance.at for utterance in said),
        nearest=nearest,
        confidence=confidence,
        chosen=chosen[favourite] if favourite else 0,
        advice=advice,
        intent=intent,
    )


def _nearest(members: Sequence[_Wording]) -> tuple[IntentId | None, float]:
    """The intent with the highest mean confidence over all utterances, and that mean."""
    votes: dict[IntentId, float] = defaultdict(float)
    for member in members:
        for candidate in member.taken.candidates:
            votes[candidate.intent] += candidate.confidence * len(member.said)
    if not votes:
        return None, 0.0
    nearest = min(votes, key=lambda name: (-votes[name], name))
    return nearest, votes[nearest] / sum(len(member.said) for member in members)


def _is_small_talk(kb: KnowledgeBase, members: Sequence[_Wording]) -> bool:
    """Tell whether most name what is not the shop's, or they sound like talk among people."""
    model, named, margin = kb.recognizer.model, 0, 0.0
    for member in members:
        columns, values = model.vectorizer.row(member.text)
        background = float(values @ model.weights[columns, -1] + model.bias[-1])
        margin += background * len(member.said)
        named += bool(kb.recognizer.guards.named(member.text)) * len(member.said)
    size = sum(len(member.said) for member in members)
    return 2 * named > size or margin / size >= _SMALL_TALK
