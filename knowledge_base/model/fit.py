"""Fitting, in a process of its own.

    python -m knowledge_base.model.fit MODEL.npz [DRAFT.npz] < material.json

The bot's process stays small and answers while this runs. It writes one line of JSON per step to
standard output, ``{"step": "fit", "done": 0.4}``, and the arrays to the file it was given. With a
second file name, a draft is written there as soon as its weights are known (step "draft"): the
same classifier, before anything was left out to calibrate it.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from joblib import Parallel, delayed

from knowledge_base.model.arrays import Floats
from knowledge_base.model.calibration import (
    DEFAULT_ANSWER,
    DEFAULT_CLARIFY,
    TYPICAL,
    background_share,
    calibrate,
    choose_thresholds,
)
from knowledge_base.model.classifier import confidences
from knowledge_base.model.fitted import Model, Trial, save_model
from knowledge_base.model.fuzzy import AMONG, WEIGHT, left_out_ratios
from knowledge_base.model.lesson import Lesson, lesson_of
from knowledge_base.model.linear import fit_class, left_out_margins
from knowledge_base.model.material import Material, material_from_json

Progress = Callable[[str, float], None]
T = TypeVar("T")


def fit(
    material: Material,
    progress: Progress = lambda _step, _done: None,
    on_draft: Callable[[Model], None] = lambda _model: None,
) -> Model:
    """Learn a model. The same material gives the same model, give or take 0.0001 a weight.

    Args:
        material: At least one phrase or title.
        progress: Told the step and its share done, in [0, 1].
        on_draft: Given the classifier before it is calibrated: without a trial, with the usual
            calibration and thresholds.
    """
    started = time.perf_counter()
    vectorizer, lesson = lesson_of(material)
    progress("features", 1.0)
    share = np.float32(background_share(len(material.outside)))
    weights = np.zeros((lesson.rows.shape[1], lesson.width + 1), dtype=np.float32)
    bias = np.zeros(lesson.width + 1, dtype=np.float32)
    for number, found in enumerate(_each_class(partial(_machine, lesson), lesson.width)):
        weights[:, number], bias[number] = found
        progress("fit", (number + 1) / len(bias))
    draft = Model(
        vectorizer=vectorizer,
        weights=weights,
        bias=bias,
        calibration=np.array([*TYPICAL, share], dtype=np.float32),
        answer=DEFAULT_ANSWER,
        clarify=DEFAULT_CLARIFY,
        trial=Trial(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)),
        fit_s=time.perf_counter() - started,
    )
    on_draft(draft)
    calibrated = _calibrated(lesson, draft, progress)
    return replace(calibrated, fit_s=time.perf_counter() - started)


def _machine(lesson: Lesson, number: int) -> tuple[Floats, float]:
    heard, members = lesson.heard_by(number), lesson.classes == number
    if heard.all():  # a copy of all rows would be a tenth of all memory
        return fit_class(lesson.rows, members)
    return fit_class(lesson.rows[heard], members[heard])


def _left_out(lesson: Lesson, draft: Model, progress: Progress) -> tuple[Floats, Floats]:
    """Scores of all rows: each left out with its fold, and with its whole intent.

    Returns:
        Twice (rows, intents + 1), the last column being the background's margin. In the second,
        scores of intents that were left out are minus infinity.
    """
    folds, groups = lesson.folds(), lesson.groups()

    def margins_of(number: int) -> list[Floats]:
        heard, members = lesson.heard_by(number), lesson.classes == number
        margins = lesson.rows @ draft.weights[:, number] + draft.bias[number]
        return left_out_margins(lesson.rows, members, heard, margins, (folds, groups))

    held_out, intent_out = np.empty((2, len(lesson.texts), lesson.width + 1), dtype=np.float32)
    for number, found in enumerate(_each_class(margins_of, lesson.width)):
        held_out[:, number], intent_out[:, number] = found
        progress("trial", (number + 1) / (lesson.width + 1))
    for group in groups:
        intent_out[np.ix_(group, np.unique(lesson.classes[group]))] = -np.inf
    for fold in map(np.flatnonzero, folds):
        ratios = left_out_ratios(lesson.texts, lesson.classes, fold, lesson.width)
        for margins in (held_out, intent_out):
            margins[fold, :-1] = _combined(margins[fold, :-1], ratios)
    return held_out, intent_out


def _calibrated(lesson: Lesson, draft: Model, progress: Progress) -> Model:
    """The draft with calibration, thresholds and trial, from phrases and intents left out."""
    asked = lesson.asked
    held_out, intent_out = _left_out(lesson, draft, progress)
    share = draft.calibration[2]
    background_out = share * held_out[:, -1]
    best = held_out[:asked, :-1].argmax(axis=1)
    right = best == lesson.classes[:asked]
    highest = held_out[:, :-1].max(axis=1) - background_out
    inside, far = highest[:asked], highest[lesson.classes == lesson.width]
    outside = intent_out[:asked, :-1].max(axis=1) - share * intent_out[:asked, -1]
    calibration = np.append(calibrate(inside, right, outside, far), share)
    sure = [confidences(calibration, scores, 0.0) for scores in (inside, outside, far)]
    answer, clarify = choose_thresholds(sure[0], right, sure[1], sure[2])
    return replace(
        draft,
        calibration=calibration,
        answer=answer,
        clarify=clarify,
        trial=Trial(best, sure[0]),
    )


def _each_class(work: Callable[[int], T], width: int) -> Iterable[T]:
    """Results for every intent and the background, in order; LinearSVC lets threads run beside."""
    jobs = (delayed(work)(number) for number in range(width + 1))
    parallel = Parallel(n_jobs=os.cpu_count(), prefer="threads", return_as="generator")
    results: Iterable[T] = parallel(jobs)
    return results


def _combined(intents: Floats, ratios: Floats) -> Floats:
    """Combine margins and similarities as serving does."""
    if intents.shape[1] > AMONG:
        lowest = np.partition(intents, -AMONG, axis=1)[:, -AMONG, None]
        intents = np.where(intents < lowest, -np.inf, intents)
    return intents + np.float32(WEIGHT) * ratios


def _report(step: str, done: float) -> None:
    sys.stdout.write(json.dumps({"step": step, "done": round(done, 3)}) + "\n")
    sys.stdout.flush()


def _main(into: str, draft_into: str = "") -> None:
    def on_draft(draft: Model) -> None:
        if draft_into:
            save_model(draft, Path(draft_into))
            _report("draft", 1.0)

    save_model(fit(material_from_json(sys.stdin.read()), _report, on_draft), Path(into))


if __name__ == "__main__":
    _main(*sys.argv[1:])
