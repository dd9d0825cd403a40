"""Evaluation of a knowledge base on labelled utterances."""

import csv
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from knowledge_base.evaluation.cases import OUT_OF_SCOPE, Case
from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.recognition.recognition import Band, Recognition, Thresholds

NOTHING = "–"
"""Stands for an intent where nothing was recognised."""
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Prediction:
    """One case and what was made of it."""

    case: Case
    recognition: Recognition

    @property
    def best(self) -> str | None:
        """The best candidate, if there is any."""
        return self.recognition.candidates[0].intent if self.recognition.candidates else None

    @property
    def confidence(self) -> float:
        """Confidence of the best candidate, in [0, 1]; 0 without one."""
        return self.recognition.candidates[0].confidence if self.recognition.candidates else 0.0

    @property
    def is_right(self) -> bool:
        """Tell whether the best candidate is one of the right intents."""
        return self.best in self.case.intents

    @property
    def top3(self) -> tuple[str, ...]:
        """The three best candidates."""
        return tuple(found.intent for found in self.recognition.candidates[:3])

    @property
    def offers_right(self) -> bool:
        """Tell whether a right intent is among the choices that asking back would offer."""
        return any(found.intent in self.case.intents for found in self.recognition.choices)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Intent that was taken for another, and how often.

    Attributes:
        wanted: The right intent, or ``oos``.
        taken: The best candidate, or ``–`` where nothing was recognised.
        times: How often.
        answered: How many of these were answered, and so wrongly.
        examples: The surest first, at most 3.
    """

    wanted: str
    taken: str
    times: int
    answered: int
    examples: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the confusion for programs."""
        return {
            "wanted": self.wanted,
            "taken": self.taken,
            "times": self.times,
            "answered": self.answered,
            "examples": list(self.examples),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one evaluation; shares in [0, 1], ``None`` where there is nothing to count.

    Attributes:
        accuracy: In-scope rows whose best candidate is right, bands aside.
        top3: In-scope rows with a right intent among the first three.
        answered_right: In-scope rows answered, and rightly.
        clarified_right: In-scope rows asked back, with a right intent among the choices.
        answered_wrong: In-scope rows answered wrongly.
        missed: In-scope rows neither answered nor asked back.
        oos_rejected: Out-of-scope rows not answered.
        oos_silent: Out-of-scope rows neither answered nor asked back.
        auroc: Chance that an in-scope row is more confident than an out-of-scope one.
        kept_at_80: Accuracy kept at the threshold that rejects 80 % of out-of-scope rows.
        fit_s: Seconds that the fit took, when it ran.
        latency_ms: p50 and p99 of one recognition.
        n: In-scope rows.
        n_oos: Out-of-scope rows.
        recall: Intent → (right, rows), the worst first.
        confusions: Most frequent first. Out-of-scope rows count where they were answered.
        predictions: One per case.
        thresholds: The bands that were in use.
    """

    accuracy: float | None
    top3: float | None
    answered_right: float | None
    clarified_right: float | None
    answered_wrong: float | None
    missed: float | None
    oos_rejected: float | None
    oos_silent: float | None
    auroc: float | None
    kept_at_80: float | None
    fit_s: float
    latency_ms: Mapping[str, float]
    n: int
    n_oos: int
    recall: Mapping[str, tuple[int, int]]
    confusions: tuple[Confusion, ...]
    predictions: tuple[Prediction, ...]
    thresholds: Thresholds

    def as_json(self) -> dict[str, Any]:
        """The figures alone, rounded to four places."""
        shares = {name: _rounded(getattr(self, name)) for name, _ in FIGURES}
        return {
            **shares,
            "fit_s": round(self.fit_s, 3),
            "latency_ms": {name: round(ms, 3) for name, ms in self.latency_ms.items()},
            "n": self.n,
            "n_oos": self.n_oos,
        }

    def details(self) -> dict[str, Any]:
        """Recall of each intent and the confusions, for programs."""
        return {
            "recall": {
                name: {"right": right, "rows": rows} for name, (right, rows) in self.recall.items()
            },
            "confusions": [confusion.as_json() for confusion in self.confusions],
        }

    def write_predictions(self, path: Path) -> None:
        """One row per case: ``text,intent,decision,predicted,confidence,top3``."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "intent", "decision", "predicted", "confidence", "top3"])
            for said in self.predictions:
                writer.writerow(
                    [
                        said.case.text,
                        said.case.label,
                        said.recognition.band.value,
                        said.best or "",
                        f"{said.confidence:.4f}",
                        "|".join(said.top3),
                    ]
                )


FIGURES = (
    ("accuracy", "第一候选正确"),
    ("top3", "前三个里有正确的"),
    ("answered_right", "答了，答对"),
    ("clarified_right", "反问了，选项里有正确的"),
    ("answered_wrong", "答了，答错"),
    ("missed", "没答也没反问"),
    ("oos_rejected", "不归我们管的，没有乱答"),
    ("oos_silent", "不归我们管的，没答也没反问"),
    ("auroc", "把握分得开归不归我们管"),
    ("kept_at_80", "挡住八成不归我们管的时，还能答对"),
)


def evaluate(kb: KnowledgeBase, cases: Sequence[Case]) -> Report:
    """Recognise every case and count."""
    predictions: list[Prediction] = []
    took_ms: list[float] = []
    for case in cases:
        started = time.perf_counter()
        recognition = kb.recognizer.recognize(case.text)
        took_ms.append((time.perf_counter() - started) * 1_000)
        predictions.append(Prediction(case, recognition))
    inside = [said for said in predictions if said.case.intents]
    outside = [said for said in predictions if not said.case.intents]
    answered = [said for said in inside if said.recognition.band is Band.ANSWER]
    clarified = [said for said in inside if said.recognition.band is Band.CLARIFY]
    recall: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for said in inside:
        right, rows = recall[said.case.intents[0]]
        recall[said.case.intents[0]] = (right + said.is_right, rows + 1)
    return Report(
        accuracy=_share(sum(said.is_right for said in inside), len(inside)),
        top3=_share(
            sum(any(name in said.case.intents for name in said.top3) for said in inside),
            len(inside),
        ),
        answered_right=_share(sum(said.is_right for said in answered), len(inside)),
        clarified_right=_share(sum(said.offers_right for said in clarified), len(inside)),
        answered_wrong=_share(sum(not said.is_right for said in answered), len(inside)),
        missed=_share(sum(said.recognition.band is Band.MISS for said in inside), len(inside)),
        oos_rejected=_share(
            sum(said.recognition.band is not Band.ANSWER for said in outside), len(outside)
        ),
        oos_silent=_share(
            sum(said.recognition.band is Band.MISS for said in outside), len(outside)
        ),
        auroc=_auroc(inside, outside),
        kept_at_80=_kept_at_80(inside, outside),
        fit_s=kb.recognizer.model.fit_s,
        latency_ms=_latency(took_ms),
        n=len(inside),
        n_oos=len(outside),
        recall=dict(
            sorted(recall.items(), key=lambda entry: (entry[1][0] / entry[1][1], entry[0]))
        ),
        confusions=_confusions(predictions),
        predictions=tuple(predictions),
        thresholds=kb.thresholds,
    )


def _confusions(predictions: Sequence[Prediction]) -> tuple[Confusion, ...]:
    """Wrong best candidates of in-scope rows, and answers to out-of-scope ones."""
    found: dict[tuple[str, str], list[Prediction]] = defaultdict(list)
    for said in predictions:
        if said.case.intents and not said.is_right:
            found[said.case.intents[0], said.best or NOTHING].append(said)
        elif not said.case.intents and said.recognition.band is Band.ANSWER:
            found[OUT_OF_SCOPE, said.best or NOTHING].append(said)
    confused = [
        Confusion(
            wanted=wanted,
            taken=taken,
            times=len(rows),
            answered=sum(said.recognition.band is Band.ANSWER for said in rows),
            examples=tuple(
                said.case.text
                for said in sorted(rows, key=lambda said: (-said.confidence, said.case.text))
            )[:_EXAMPLES],
        )
        for (wanted, taken), rows in found.items()
    ]
    confused.sort(key=lambda one: (-one.times, -one.answered, one.wanted, one.taken))
    return tuple(confused)


def _auroc(inside: Sequence[Prediction], outside: Sequence[Prediction]) -> float | None:
    if not inside or not outside:
        return None
    return float(
        roc_auc_score(
            [True] * len(inside) + [False] * len(outside),
            [said.confidence for said in (*inside, *outside)],
        )
    )


def _kept_at_80(inside: Sequence[Prediction], outside: Sequence[Prediction]) -> float | None:
    if not inside or not outside:
        return None
    threshold = np.quantile([said.confidence for said in outside], 0.8)
    return _share(
        sum(said.is_right and said.confidence > threshold for said in inside), len(inside)
    )


def _latency(took_ms: Sequence[float]) -> dict[str, float]:
    if not took_ms:
        return {"p50": 0.0, "p99": 0.0}
    p50, p99 = np.quantile(took_ms, [0.5, 0.99]).tolist()
    return {"p50": p50, "p99": p99}


def _share(some: int, of: int) -> float | None:
    return some / of if of else None


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
