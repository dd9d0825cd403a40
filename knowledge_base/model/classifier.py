"""Serving a fitted model: numpy alone, a fraction of a millisecond a text."""

import numpy as np

from knowledge_base.model.arrays import Floats, Ints
from knowledge_base.model.fitted import Model
from knowledge_base.model.fuzzy import AMONG, WEIGHT, Fuzzy


def scores(model: Model, fuzzy: Fuzzy, text: str) -> tuple[Ints, Floats]:
    """The likeliest classes of one normalised text and their confidence.

    Returns:
        At most 6 class numbers, best first, and their confidences in [0, 1]. Confidences are
        scores: they need not sum to 1. Both are empty when nothing of the text is known.
    """
    columns, values = model.vectorizer.row(text)
    if not len(columns):
        return np.empty(0, np.int64), np.empty(0, np.float32)
    margins = values @ model.weights[columns] + model.bias
    intents, background = margins[:-1], margins[-1]
    among = np.argsort(-intents)[:AMONG]
    combined = intents[among] + np.float32(WEIGHT) * fuzzy.ratios(text, among.tolist())
    order = np.argsort(-combined, kind="stable")
    return among[order], confidences(model.calibration, combined[order], float(background))


def confidences(calibration: Floats, combined: Floats, background: float | Floats) -> Floats:
    """Probability that a class with this combined score is right, the background's margin known.

    Args:
        calibration: Slope, offset, and the background's share.

    Source:
        Platt 1999, "Probabilistic outputs for support vector machines".
    """
    slope, offset, share = calibration
    logit = slope * (combined - share * background) + offset
    sure: Floats = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
    return sure
