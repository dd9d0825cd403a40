"""Texts as sparse rows of weights: TF-IDF over three views."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.features import features
from knowledge_base.svm import Floats, Ints, Rows

_VIEW_WEIGHTS = (1.0, 1.0, 0.5)  # characters, words, pairs
_PAIR_MIN_PHRASES = 2


@dataclass(frozen=True, slots=True)
class Vectorizer:
    """Immutable, thread-safe.

    Attributes:
        vocabulary: Feature → column.
        idf: Weight of each column.
    """

    vocabulary: Mapping[str, int]
    idf: Floats

    def row(self, text: str) -> tuple[Ints, Floats]:
        """Columns and weights of one normalised text; weights have length 1, or there are none."""
        columns: list[Ints] = []
        values: list[Floats] = []
        lookup = self.vocabulary.get
        for view, weight in zip(features(text), _VIEW_WEIGHTS, strict=True):
            found = [(c, n) for name, n in view.items() if (c := lookup(name)) is not None]
            if found:
                at = np.fromiter((column for column, _ in found), np.int64, len(found))
                counts = np.fromiter((n for _, n in found), np.float32, len(found))
                tf = (1 + np.log(counts)) * self.idf[at]
                columns.append(at)
                values.append(tf * np.float32(weight / np.sqrt(tf @ tf)))
        if not columns:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        joined = np.concatenate(values)
        return np.concatenate(columns), joined / np.sqrt(joined @ joined)


def fit_vectorizer(texts: Sequence[str]) -> tuple[Vectorizer, Rows]:
    """Learn vocabulary and IDF from normalised texts; the texts' own rows come with it.

    Pairs of words that occur in one text only are left out: they are most of all pairs, and
    a pair seen once tells nothing that its words do not.
    """
    views = [features(text) for text in texts]
    seen: Counter[str] = Counter()
    for of_text in views:
        for view in of_text:
            seen.update(view.keys())
    names = sorted(name for name, n in seen.items() if name[0] != "p" or n >= _PAIR_MIN_PHRASES)
    vocabulary = {name: n for n, name in enumerate(names)}
    df = np.array([seen[name] for name in names], dtype=np.float32)
    idf = (np.log((1 + len(texts)) / (1 + df)) + 1).astype(np.float32)
    return Vectorizer(vocabulary, idf), _rows(views, vocabulary, idf)


def _rows(
    views: Sequence[tuple[Counter[str], ...]], vocabulary: Mapping[str, int], idf: Floats
) -> Rows:
    """All rows at once; the same numbers as ``Vectorizer.row``."""
    columns: list[int] = []
    counts: list[int] = []
    lengths: list[int] = []  # of each view of each row
    lookup = vocabulary.get
    for of_text in views:
        for view in of_text:
            known = [(c, n) for name, n in view.items() if (c := lookup(name)) is not None]
            columns += [column for column, _ in known]
            counts += [n for _, n in known]
            lengths.append(len(known))
    at = np.array(columns, dtype=np.int64)
    values = (1 + np.log(np.array(counts, dtype=np.float32))) * idf[at]
    of_view = np.repeat(np.arange(len(lengths)), lengths)
    values = values / _norms(values, of_view, len(lengths))[of_view]
    values = values * np.tile(np.array(_VIEW_WEIGHTS, dtype=np.float32), len(views))[of_view]
    of_row = of_view // len(_VIEW_WEIGHTS)
    values = values / _norms(values, of_row, len(views))[of_row]
    per_row = np.array(lengths, dtype=np.int64).reshape(-1, len(_VIEW_WEIGHTS)).sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(per_row)]).astype(np.int64)
    return Rows(starts, at, values.astype(np.float32), len(idf))


def _norms(values: Floats, group: Ints, size: int) -> Floats:
    squares = np.bincount(group, weights=values * values, minlength=size)
    return np.sqrt(np.where(squares > 0, squares, 1)).astype(np.float32)
