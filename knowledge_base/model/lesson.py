"""The rows that a fit learns from, and what each of them may teach."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from knowledge_base.model.arrays import Bools, Floats, Ints
from knowledge_base.model.material import Material
from knowledge_base.model.tfidf import fit_vectorizer
from knowledge_base.model.vectorizer import Vectorizer

# An everyday phrase this like one of the shop's is no background (cosine).
TOO_LIKE = 0.45
# So many everyday phrases are learnt as a class of their own; the weights of words are learnt from
# all. Twice as many made a fit half as long again and no set better.
EVERYDAY = 600
FOLDS = 5
# Of intents that are left out together; more are nearer to leaving out one at a time.
GROUPS = 5
_STRIPE = 256


@dataclass(frozen=True, slots=True)
class Lesson:
    """Phrases of intents first, then titles, ``not:``, and what nobody should answer.

    Attributes:
        texts: Normalised.
        rows: (n, features); one per text.
        classes: Class number of each; the number of intents is the background, one more is none.
        refuses: Class that a row without a class says no to, else -1.
        asked: How many of the texts are phrases of intents.
        width: Number of intents.
    """

    texts: tuple[str, ...]
    rows: csr_matrix
    classes: Ints
    refuses: Ints
    asked: int
    width: int

    def heard_by(self, number: int) -> Bools:
        """Rows that a class learns from: ``not:`` speaks to its own intent alone."""
        heard: Bools = (self.classes <= self.width) | (self.refuses == number)
        return heard

    def folds(self) -> list[Bools]:
        """Five blocks of phrases and background, each with a fifth of every class; no titles."""
        fold = np.full(len(self.texts), -1)
        for number in range(self.width + 1):
            mine = np.flatnonzero(self.classes == number)
            mine = mine[(mine < self.asked) | (number == self.width)]
            fold[mine] = np.arange(len(mine)) % FOLDS
        return [fold == n for n in range(FOLDS)]

    def groups(self) -> list[Bools]:
        """Blocks of whole intents, titles included. Neighbours in kb.yaml are never together."""
        of_intent = self.classes < self.width
        return [of_intent & (self.classes % GROUPS == n) for n in range(min(GROUPS, self.width))]

    def only(self, kept: Bools) -> Self:
        """Some of the rows, in their order; phrases of intents must all be among them."""
        texts = tuple(text for text, keep in zip(self.texts, kept, strict=True) if keep)
        rows, classes, refuses = self.rows[kept], self.classes[kept], self.refuses[kept]
        return type(self)(texts, rows, classes, refuses, self.asked, self.width)


def lesson_of(material: Material) -> tuple[Vectorizer, Lesson]:
    """Turn texts into rows, and leave out everyday phrases that customers may say."""
    width = len(material.intents)
    refused = [phrase for phrase, _ in material.refused]
    elsewhere = [*material.outside, *material.background]
    asked = [phrase for phrase, _ in material.phrases]
    texts = (*asked, *material.titles, *refused, *elsewhere)
    vectorizer, rows = fit_vectorizer(texts, len(elsewhere))
    classes = np.array(
        [number for _, number in material.phrases]
        + list(range(width))
        + [width + 1] * len(refused)
        + [width] * len(elsewhere),
        dtype=np.int64,
    )
    refuses = np.full(len(texts), -1)
    refuses[classes == width + 1] = [number for _, number in material.refused]
    lesson = Lesson(texts, rows, classes, refuses, len(asked), width)
    return vectorizer, lesson.only(_kept(rows, len(material.background)))


def _kept(rows: csr_matrix, everyday: int) -> Bools:
    """All rows but the last ones, and of these at most ``EVERYDAY`` that are like no other."""
    first = rows.shape[0] - everyday
    usable = first + np.flatnonzero(_nearest(rows[first:], rows[:first]) <= TOO_LIKE)
    if len(usable) > EVERYDAY:
        usable = usable[np.linspace(0, len(usable) - 1, EVERYDAY).astype(int)]
    kept: Bools = np.arange(rows.shape[0]) < first
    kept[usable] = True
    return kept


def _nearest(rows: csr_matrix, others: csr_matrix) -> Floats:
    """The highest cosine of each row with one of the others."""
    nearest = np.zeros(rows.shape[0])
    across = others.T.tocsr()
    for start in range(0, rows.shape[0], _STRIPE):  # all at once would be 100 MB
        stripe = rows[start : start + _STRIPE] @ across
        nearest[start : start + _STRIPE] = stripe.max(axis=1).toarray().ravel()
    return nearest
