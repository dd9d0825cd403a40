import numpy as np
import pytest

from knowledge_base.model.sparse import (
    Floats,
    Rows,
    gram,
    nearest,
    ranges,
)

N, WIDTH = 150, 400


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Random rows of length 1: a few features that most rows have, many that few have."""
    random = np.random.default_rng(7)
    shares = np.concatenate([np.full(5, 0.7), np.full(WIDTH - 5, 0.02)])
    dense = random.random((N, WIDTH)) * (random.random((N, WIDTH)) < shares)
    dense[3] = 0  # a text of which nothing is known
    dense[4, :6], dense[4, 6:] = 0.4, 0
    dense /= np.maximum(np.sqrt((dense**2).sum(axis=1, keepdims=True)), 1e-9)
    of_row, columns = np.nonzero(dense)
    starts = np.searchsorted(of_row, np.arange(N + 1))
    return Rows(starts, columns, dense[of_row, columns].astype(np.float32), WIDTH)


def _dense(rows: Rows) -> Floats:
    dense = np.zeros((len(rows), rows.width), dtype=np.float32)
    dense[rows.owners(), rows.columns] = rows.values
    return dense


def test_all_products_are_those_of_the_dense_rows(rows: Rows) -> None:
    dense = _dense(rows)
    assert gram(rows) == pytest.approx(dense @ dense.T + 1, abs=1e-5)


def test_the_same_rows_give_the_same_products_bit_for_bit(rows: Rows) -> None:
    first, again = gram(rows), gram(rows)
    assert (first == again).all()
    assert (first == first.T).all()


def test_the_nearest_is_the_highest_product_with_another_kind(rows: Rows) -> None:
    chosen = np.arange(N) % 3 == 0
    dense = _dense(rows)
    wanted = (dense[chosen] @ dense[~chosen].T).max(axis=1)
    assert nearest(rows, chosen) == pytest.approx(wanted, abs=1e-5)


def test_without_rows_of_another_kind_nothing_is_near(rows: Rows) -> None:
    assert not nearest(rows, np.ones(N, dtype=bool)).any()
    assert not len(nearest(rows, np.zeros(N, dtype=bool)))


def test_ranges_follow_one_another() -> None:
    found = ranges(np.array([5, 0, 9]), np.array([2, 0, 3]))
    assert found.tolist() == [5, 6, 9, 10, 11]
    assert not len(ranges(np.empty(0, np.int64), np.empty(0, np.int64)))
