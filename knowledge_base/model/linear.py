"""Linear support vector machines, one class against the rest, by scikit-learn."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from knowledge_base.model.arrays import Bools, Floats

C = 2.0
# When rows are left out, those with a margin beyond this are left out too: they had no say in the
# machine, and hardly get one now. With the coarser tolerance that takes a third of the time, and
# left-out scores of the shipped knowledge base move by 0.007 on average, one in a hundred by 0.1.
_REACH = 1.05
_TOLERANCE, _COARSE = 1e-4, 0.03


def fit_class(
    rows: csr_matrix, is_member: Bools, tolerance: float = _TOLERANCE
) -> tuple[Floats, float]:
    """Fit one class against the rest.

    Args:
        rows: (n, features).
        is_member: (n,); which rows belong to the class.
        tolerance: Of the solver; the default keeps scores within 0.003.

    Returns:
        Weight of every feature, and the bias. Where all rows are of one kind: no weights, and the
        margin that this kind would have.
    """
    if is_member.all() or not is_member.any():
        return np.zeros(rows.shape[1], dtype=np.float32), 1.0 if is_member.any() else -1.0
    machine = LinearSVC(C=C, tol=tolerance, random_state=0).fit(rows, is_member)
    return machine.coef_[0].astype(np.float32), float(machine.intercept_[0])


def left_out_margins(
    rows: csr_matrix,
    is_member: Bools,
    is_heard: Bools,
    margins: Floats,
    partitions: Sequence[Sequence[Bools]],
) -> list[Floats]:
    """Margins that rows would get from a machine fitted without them and their block.

    Args:
        rows: (n, features).
        is_member: (n,); which rows belong to the class.
        is_heard: (n,); which rows the machine learnt from.
        margins: (n,); from the machine fitted on all of these.
        partitions: Each a list of disjoint blocks, (n,) each: rows that are left out together.

    Returns:
        One (n,) per partition. Rows in none of its blocks keep their margin.
    """
    near = is_heard & (np.where(is_member, margins, -margins) < _REACH)
    mine, wanted = rows[near], is_member[near]
    results = []
    for blocks in partitions:
        result = margins.astype(np.float32)
        for block in blocks:
            kept = ~block[near]
            weight, bias = fit_class(mine[kept], wanted[kept], _COARSE)
            result[block] = rows[block] @ weight + bias
        results.append(result)
    return results
