"""Learning the vocabulary and the weights of words; only the fitting half needs scipy."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import csr_matrix

from knowledge_base.model.arrays import Floats, Ints
from knowledge_base.model.features import features
from knowledge_base.model.vectorizer import Vectorizer, shares_of

_VIEWS = 4
_PAIR = "p"
_PAIR_MIN_PHRASES = 2


def fit_vectorizer(texts: Sequence[str], background: int = 0) -> tuple[Vectorizer, csr_matrix]:
    """Learn vocabulary and IDF from normalised texts; the texts' own rows come with it.

    Pairs of words that occur in one text only are left out: they are most of all pairs, and
    a pair seen once tells nothing that its words do not.

    Args:
        texts: The shop's phrases, then everyday ones.
        background: How many of them are everyday ones. Half of a weight is learnt from these: what
            is common everywhere tells little, even where the shop's phrases are few.

    Returns:
        The vectorizer, and (texts, features); each row has length 1.
    """
    names, columns, counts, lengths = _counted(texts)
    asked = len(texts) - background
    ends = np.cumsum(lengths.reshape(-1, _VIEWS).sum(axis=1))
    of_asked = int(ends[asked - 1]) if asked else 0
    seen = np.bincount(columns[:of_asked], minlength=len(names))
    seen_elsewhere = np.bincount(columns[of_asked:], minlength=len(names))
    place = _places(names, seen + seen_elsewhere)
    kept = np.argsort(place)[np.count_nonzero(place < 0) :]
    idf = (_idf(seen[kept], asked) + _idf(seen_elsewhere[kept], background)) * np.float32(0.5)
    none = np.zeros(1, dtype=np.int64)
    unknown = float(_idf(none, asked)[0] + _idf(none, background)[0]) / 2
    vocabulary = {names[number]: n for n, number in enumerate(kept.tolist())}
    weights = np.array([[weight for weight, _ in shares_of(text)] for text in texts])
    rows = _rows(place[columns], counts, lengths, idf, weights.reshape(-1))
    return Vectorizer(vocabulary, idf, unknown), rows


def _counted(texts: Iterable[str]) -> tuple[list[str], Ints, Ints, Ints]:
    """Names of all features; number and count of each entry; entries of each view of each text."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    columns, counts, lengths = array("q"), array("q"), array("q")
    for text in texts:
        for view in features(text):
            columns.extend(numbers[name] for name in view)
            counts.extend(view.values())
            lengths.append(len(view))
    found = [np.frombuffer(part, dtype=np.int64) for part in (columns, counts, lengths)]
    return list(numbers), found[0], found[1], found[2]


def _places(names: Sequence[str], seen: Ints) -> Ints:
    """Column of each feature in the order of names, -1 where it has none."""
    place = np.full(len(names), -1)
    kept = [n for n, name in enumerate(names) if name[0] != _PAIR or seen[n] >= _PAIR_MIN_PHRASES]
    kept.sort(key=names.__getitem__)
    place[kept] = np.arange(len(kept))
    return place


def _idf(seen: Ints, texts: int) -> Floats:
    idf: Floats = (np.log((1 + texts) / (1 + seen)) + 1).astype(np.float32)
    return idf


def _rows(columns: Ints, counts: Ints, lengths: Ints, idf: Floats, weights: Floats) -> csr_matrix:
    """All rows at once; the same numbers as ``Vectorizer.row``, every feature being known.

    Args:
        columns: Of each entry, -1 where it has none.
        counts: Of each entry.
        lengths: Entries of each view of each row.
        idf: Of each column.
        weights: Of each view of each row.
    """
    is_known = columns >= 0
    columns = columns[is_known]
    of_view = np.repeat(np.arange(len(lengths)), lengths)[is_known]
    values = (1 + np.log(counts[is_known])) * idf[columns]
    values *= (weights / _norms(values, of_view, len(lengths)))[of_view]
    of_row = of_view // _VIEWS
    size = len(lengths) // _VIEWS
    values /= _norms(values, of_row, size)[of_row]
    return csr_matrix((values, (of_row, columns)), shape=(size, len(idf)))


def _norms(values: Floats, group: Ints, size: int) -> Floats:
    squares = np.bincount(group, weights=values * values, minlength=size)
    norms: Floats = np.sqrt(np.where(squares > 0, squares, 1))
    return norms
