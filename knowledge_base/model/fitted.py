"""A fitted classifier as plain arrays, and how it is kept on disk."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge_base.model.arrays import Floats, Ints
from knowledge_base.model.vectorizer import Vectorizer


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of cross-validation for the phrases of the material, each left out in its turn.

    Attributes:
        best: Class number recognised.
        confidence: Of the best, in [0, 1].
    """

    best: Ints
    confidence: Floats


@dataclass(frozen=True, slots=True)
class Model:
    """Fitted classifier, as serving needs it. Immutable.

    Attributes:
        vectorizer: Text → sparse row.
        weights: (features, classes + 1); the last column is the background.
        bias: (classes + 1).
        calibration: Coefficients of the confidence, see ``classifier.confidences``.
        answer: Lowest confidence at which to answer, by cross-validation.
        clarify: Lowest confidence at which to ask back.
        trial: One entry per phrase of the material; none of a draft, which is not calibrated yet.
        fit_s: Seconds that the fit took.
    """

    vectorizer: Vectorizer
    weights: Floats
    bias: Floats
    calibration: Floats
    answer: float
    clarify: float
    trial: Trial
    fit_s: float


def save_model(model: Model, path: Path) -> None:
    """Write it so that a reader sees all of it or nothing. No pickle inside."""
    vocabulary = sorted(model.vectorizer.vocabulary, key=model.vectorizer.vocabulary.__getitem__)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez(
            file,
            vocabulary=np.frombuffer("\n".join(vocabulary).encode(), dtype=np.uint8),
            idf=model.vectorizer.idf,
            weights=model.weights,
            bias=model.bias,
            calibration=model.calibration,
            scalars=np.array(
                [model.answer, model.clarify, model.fit_s, model.vectorizer.unknown],
                dtype=np.float64,
            ),
            trial_best=model.trial.best,
            trial_confidence=model.trial.confidence,
        )
    temporary.replace(path)


def load_model(path: Path) -> Model:
    """Read it back.

    Raises:
        OSError, ValueError, KeyError, EOFError, BadZipFile: It is missing or damaged.
    """
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        names = arrays["vocabulary"].tobytes().decode().split("\n")
        answer, clarify, fit_s, unknown = arrays["scalars"].tolist()
        return Model(
            vectorizer=Vectorizer(
                {name: n for n, name in enumerate(names)}, arrays["idf"], unknown
            ),
            weights=arrays["weights"],
            bias=arrays["bias"],
            calibration=arrays["calibration"],
            answer=answer,
            clarify=clarify,
            trial=Trial(arrays["trial_best"], arrays["trial_confidence"]),
            fit_s=fit_s,
        )
