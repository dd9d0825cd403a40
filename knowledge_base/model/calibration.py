"""From scores to one confidence, and from confidences to three bands, on the KB alone."""

import numpy as np

from knowledge_base.model.arrays import Bools, Floats

# What a turn costs, a right answer being free. Asking back costs a press when the right choice is
# offered; a miss costs a second try or a person; a wrong answer the customer's trust. With these an
# answer is worth giving from about even chances on. Chosen on three public sets and checked on
# a card shop's sample, neither of which is the knowledge base that they are applied to.
COST_WRONG = 1.65
COST_CLARIFY_WRONG = 1.2
COST_CLARIFY_RIGHT = 0.5
COST_MISS = 1.4
COST_SILENCE = 0.0  # a stranger's question, neither answered nor asked back

# Of a hundred messages, how many a knowledge base does not cover: near topics and far ones.
SHARE_OUTSIDE = 0.2
SHARE_FAR = 0.1
# How much of the background's margin counts against every intent: little while it holds everyday
# phrases alone, and more the more the admin wrote down what customers ask in vain. On two blind
# sets of a card shop's customers the step from .15 to .45 was worth 1.2 and 0.9 points of AUROC;
# on public sets, which come without such phrases, it costs half a point.
_SHARE = 0.15
_SHARE_WRITTEN = 0.3
_WRITTEN_ENOUGH = 200
_STEPS = 40
_LONGEST_STEP = 1.0
TYPICAL = (3.5, -0.7)  # slope and offset, about the same on all sets that were measured
_PRIOR = 3.0
DEFAULT_ANSWER, DEFAULT_CLARIFY = 0.5, 0.25
_HARDLY_MORE = 0.003  # of the price of a miss or so, for each message
_MIN_SAMPLES = 20


def background_share(outside: int) -> float:
    """Return the share of the background's margin that counts against every intent.

    Args:
        outside: How many phrases of the background are the shop's own ``out_of_scope:``.
    """
    return _SHARE + _SHARE_WRITTEN * min(1.0, outside / _WRITTEN_ENOUGH)


def calibrate(inside: Floats, right: Bools, outside: Floats, far: Floats) -> Floats:
    """Slope and offset of a logistic curve through left-out scores.

    Args:
        inside: Scores of the best intent for phrases that were left out.
        right: Whether that intent was theirs.
        outside: Scores of phrases whose whole intent was left out: any answer is wrong.
        far: Scores of left-out background phrases.

    Source:
        Platt 1999, with his smoothed targets.
    """
    x = np.concatenate([inside, outside, far]).astype(np.float64)
    y = np.concatenate([right, np.zeros(len(outside) + len(far), bool)])
    w = _sample_weights(len(inside), len(outside), len(far))
    usable = np.isfinite(x)
    x, y, w = x[usable], y[usable], w[usable]
    if y.sum() < _MIN_SAMPLES or (~y).sum() < _MIN_SAMPLES:
        return np.array(TYPICAL, dtype=np.float32)
    target = np.where(y, (y.sum() + 1) / (y.sum() + 2), 1 / ((~y).sum() + 2))
    terms = np.stack([x, np.ones_like(x)], axis=1)
    now = np.array(TYPICAL)
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(terms @ now, -30, 30)))
        # The prior keeps small, easily separated knowledge bases from a cliff in place of a curve.
        gradient = terms.T @ (w * (p - target)) + _PRIOR * (now - TYPICAL)
        hessian = (terms * (w * p * (1 - p))[:, None]).T @ terms + _PRIOR * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        now = now - np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
    return now.astype(np.float32)


def choose_thresholds(
    inside: Floats, right: Bools, outside: Floats, far: Floats
) -> tuple[float, float]:
    """The two thresholds (answer, clarify) of least expected cost, on confidences in [0, 1].

    Near the least the cost is flat, and a phrase more or less would move the lowest point by a
    tenth: the middle of all that cost hardly more stays where it is.
    """
    if right.sum() < _MIN_SAMPLES:
        return DEFAULT_ANSWER, DEFAULT_CLARIFY
    confidence = np.concatenate([inside, outside, far])
    is_inside = np.arange(len(confidence)) < len(inside)
    is_right = np.concatenate([right, np.zeros(len(outside) + len(far), bool)])
    order = np.argsort(confidence, kind="stable")
    w = _sample_weights(len(inside), len(outside), len(far))[order]
    at_answer = _up_to(w * np.where(is_right, 0.0, COST_WRONG)[order])
    at_clarify = _up_to(w * np.where(is_right, COST_CLARIFY_RIGHT, COST_CLARIFY_WRONG)[order])
    at_miss = _up_to(w * np.where(is_inside, COST_MISS, COST_SILENCE)[order])
    grid = np.linspace(0.05, 0.95, 91)
    below = np.searchsorted(confidence[order], grid)
    answer, clarify = below[:, None], below[None, :]
    cost = (at_answer[-1] - at_answer[answer] + at_clarify[answer] - at_clarify[clarify]) + at_miss[
        clarify
    ]
    cost[grid[:, None] < grid[None, :]] = np.inf
    answers, clarifies = np.nonzero(cost <= cost.min() + _HARDLY_MORE * w.sum())
    return float(grid[answers].mean()), float(grid[clarifies].mean())


def _up_to(costs: np.ndarray) -> np.ndarray:
    """Sum of the first n, for each n."""
    return np.concatenate([[0.0], np.cumsum(costs)])


def _sample_weights(n_inside: int, n_outside: int, n_far: int) -> np.ndarray:
    share_inside = 1 - SHARE_OUTSIDE - SHARE_FAR
    parts = [(n_inside, share_inside), (n_outside, SHARE_OUTSIDE), (n_far, SHARE_FAR)]
    total = sum(n for n, _ in parts)
    return np.concatenate([np.full(n, share * total / max(1, n)) for n, share in parts])
