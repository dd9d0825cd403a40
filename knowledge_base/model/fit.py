"""Fitting: ``python -m knowledge_base.model.fit MODEL.npz < material.json``, a process of its own.

The bot's process stays small and answers while this runs. It writes one line of JSON per step to
standard output, ``{"step": "fit", "done": 0.4}``, and the arrays to the file it was given.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge_base.model.calibration import background_share, calibrate, choose_thresholds
from knowledge_base.model.classifier import confidences
from knowledge_base.model.fitted import Model, Trial, save_model
from knowledge_base.model.fuzzy import AMONG, WEIGHT, left_out_ratios
from knowledge_base.model.material import Material, material_from_json
from knowledge_base.model.sparse import (
    Bools,
    Floats,
    Ints,
    Rows,
    gram,
    nearest,
)
from knowledge_base.model.svm import fit_machine, left_out_scores, weights
from knowledge_base.model.vectorizer import Vectorizer, fit_vectorizer

C = 2.0
FOLDS = 5
# An everyday phrase this like one of the shop's is no background (cosine).
TOO_LIKE = 0.45
HEARD_BY_BACKGROUND = 600
# So many everyday phrases are learnt as a class of their own; the weights of words are learnt from
# all. Twice as many made a fit half as long again and no set better.
EVERYDAY = 600

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What is learnt from: the shop's phrases and titles first, what nobody should answer last.

    Attributes:
        texts: Normalised.
        rows: One per text.
        products: From ``gram``.
        classes: Class number of each; the number of intents is the background, one more is none.
        refuses: Class that a row without a class says no to, else -1.
    """

    texts: tuple[str, ...]
    rows: Rows
    products: Floats
    classes: Ints
    refuses: Ints


def fit(material: Material, progress: Progress = lambda _step, _done: None) -> Model:
    """Learn a model. The same material gives the same arrays.

    Args:
        material: At least one phrase or title.
        progress: Told the step and its share done, in [0, 1].
    """
    started = time.perf_counter()
    width = len(material.intents)
    asked = len(material.phrases)
    of_asked = np.array([number for _, number in material.phrases], dtype=np.int64)
    vectorizer, lesson = _lesson(material, progress)
    rows, products, classes = lesson.rows, lesson.products, lesson.classes

    folds = _folds(classes, asked, width)
    blocks = [np.flatnonzero(folds == n) for n in range(FOLDS)]
    by_intent = [np.flatnonzero(classes[: asked + width] == n) for n in range(width)]
    weight = np.zeros((rows.width, width + 1), dtype=np.float32)
    bias = np.zeros(width + 1, dtype=np.float32)
    held_out = np.zeros((len(classes), width + 1), dtype=np.float32)
    intent_out = np.zeros((len(classes), width + 1), dtype=np.float32)

    def fit_class(number: int) -> None:
        members = classes == number
        if not members.any():
            bias[number] = held_out[:, number] = intent_out[:, number] = -1
            return
        heard = (classes <= width) | (lesson.refuses == number)
        if number == width:
            heard &= _heard_by_background(members)
        machine = fit_machine(products, members, c=C, is_heard=heard)
        weight[:, number], bias[number] = weights(rows, machine)
        held_out[:, number], intent_out[:, number] = left_out_scores(
            products, machine, [blocks, by_intent]
        )

    # LAPACK lets go of the interpreter; the child runs it with one thread of its own (loader).
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(fit_class, range(width + 1)), start=1):
            progress("fit", done / (width + 1))

    ratios = np.zeros((len(classes), width), dtype=np.float32)
    for block in blocks:
        ratios[block] = left_out_ratios(lesson.texts, classes, block, width)
    progress("trial", 1.0)
    judged = _combined(held_out, ratios)
    strangers = _combined(intent_out, ratios)[:asked]
    strangers[np.arange(asked), of_asked] = -np.inf  # their own intent is the one left out
    is_background = classes == width
    share = np.float32(background_share(len(material.outside)))
    background_out = share * held_out[:, -1]
    best = judged[:asked].argmax(axis=1)
    right = best == of_asked
    inside = judged[:asked].max(axis=1) - background_out[:asked]
    outside = strangers.max(axis=1) - share * intent_out[:asked, -1]
    far = (judged.max(axis=1) - background_out)[is_background]
    calibration = np.append(calibrate(inside, right, outside, far), share)

    trial = _trial(calibration, judged[:asked], held_out[:asked, -1])
    answer, clarify = choose_thresholds(
        trial.confidence,
        right,
        confidences(calibration, outside, 0.0),
        confidences(calibration, far, 0.0),
    )
    return Model(
        vectorizer=vectorizer,
        weights=weight,
        bias=bias,
        calibration=calibration,
        answer=answer,
        clarify=clarify,
        trial=trial,
        fit_s=time.perf_counter() - started,
    )


def _lesson(material: Material, progress: Progress) -> tuple[Vectorizer, _Lesson]:
    width = len(material.intents)
    asked = [phrase for phrase, _ in material.phrases]
    refused = [phrase for phrase, _ in material.refused]
    elsewhere = [*material.outside, *material.background]
    texts = (*asked, *material.titles, *refused, *elsewhere)
    vectorizer, rows = fit_vectorizer(texts, len(elsewhere))
    progress("features", 1.0)
    classes = np.array(
        [number for _, number in material.phrases]
        + list(range(width))
        + [width + 1] * len(refused)
        + [width] * len(elsewhere),
        dtype=np.int64,
    )
    refuses = np.full(len(texts), -1)
    refuses[classes == width + 1] = [number for _, number in material.refused]
    everyday = np.arange(len(texts)) >= len(texts) - len(material.background)
    kept = np.ones(len(texts), dtype=bool)
    kept[everyday] = nearest(rows, everyday) <= TOO_LIKE
    candidates = np.flatnonzero(everyday & kept)
    if len(candidates) > EVERYDAY:
        kept[candidates] = False
        kept[candidates[np.linspace(0, len(candidates) - 1, EVERYDAY).astype(int)]] = True
    texts = tuple(text for text, keep in zip(texts, kept, strict=True) if keep)
    rows = rows.only(kept)
    progress("neighbours", 1.0)
    products = gram(rows)
    progress("similarities", 1.0)
    return vectorizer, _Lesson(texts, rows, products, classes[kept], refuses[kept])


def _heard_by_background(members: Bools) -> Bools:
    """Everyday phrases, and a sample of the shop's own.

    Everyday phrases have so little in common that nearly every phrase of the shop would bear on
    their class, and its systems would cost more than all others together.
    """
    heard = members.copy()
    others = np.flatnonzero(~members)
    heard[others[:: max(1, len(others) // HEARD_BY_BACKGROUND)]] = True
    return heard


def _folds(classes: Ints, n_asked: int, width: int) -> Ints:
    """Fold of each row, -1 for titles: these are never left out."""
    folds = np.full(len(classes), -1)
    for number in range(width + 1):
        mine = np.flatnonzero(classes == number)
        mine = mine[(mine < n_asked) | (number == width)]
        folds[mine] = np.arange(len(mine)) % FOLDS
    return folds


def _combined(margins: Floats, ratios: Floats) -> Floats:
    """What serving would make of these margins and similarities."""
    intents = margins[:, :-1].copy()
    if intents.shape[1] > AMONG:
        lowest = np.partition(intents, -AMONG, axis=1)[:, -AMONG, None]
        intents[intents < lowest] = -np.inf
    return intents + np.float32(WEIGHT) * ratios


def _trial(calibration: Floats, judged: Floats, background: Floats) -> Trial:
    order = np.argsort(-judged, axis=1, kind="stable")
    second = order[:, min(1, judged.shape[1] - 1)]
    at = np.arange(len(judged))
    return Trial(
        best=order[:, 0],
        second=second,
        confidence=confidences(calibration, judged[at, order[:, 0]], background),
        confidence_second=confidences(calibration, judged[at, second], background),
    )


def _report(step: str, done: float) -> None:
    sys.stdout.write(json.dumps({"step": step, "done": round(done, 3)}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    save_model(fit(material_from_json(sys.stdin.read()), _report), Path(sys.argv[1]))
