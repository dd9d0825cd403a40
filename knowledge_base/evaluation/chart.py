"""An evaluation as one HTML page: no script, nothing from a network, safe to send by mail."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from jinja2 import Environment, StrictUndefined

from knowledge_base.evaluation.cases import OUT_OF_SCOPE
from knowledge_base.evaluation.evaluation import NOTHING, Prediction, Report
from knowledge_base.model.arrays import Floats
from knowledge_base.recognition.recognition import Band

BINS = 20
_CONFUSIONS = 24
_GOOD, _FAIR = 0.95, 0.85
_OTHER_NAMES = {OUT_OF_SCOPE: "不归我们管", NOTHING: "没认出来"}


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a whole bar.

    Attributes:
        name: What it is.
        tone: Its colour, by class.
        share: In [0, 1].
        count: Rows in it.
    """

    name: str
    tone: str
    share: float
    count: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Recall of an intent."""

    name: str
    title: str
    right: int
    rows: int

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return self.right / self.rows

    @property
    def is_weak(self) -> bool:
        """Tell whether any row was not recognised."""
        return self.right < self.rows

    @property
    def tone(self) -> str:
        """Its colour, by class."""
        return "good" if self.share >= _GOOD else "fair" if self.share >= _FAIR else "poor"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Confidences in bins of equal width over [0, 1]; heights are shares of a side's highest bin.

    Attributes:
        right: In-scope rows whose best candidate is right.
        wrong: In-scope rows whose best candidate is wrong; they stand on the right ones.
        outside: Out-of-scope rows.
    """

    right: Sequence[float]
    wrong: Sequence[float]
    outside: Sequence[float]


def page(report: Report, *, titles: Mapping[str, str], shop: str, cases: str) -> str:
    """The page as text; every word of it that is not ours is escaped.

    Args:
        titles: Intent → its title.
        shop: Name of the shop.
        cases: What was evaluated on.
    """
    template = files("knowledge_base.evaluation").joinpath("chart.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shown = report.confusions[:_CONFUSIONS]
    return environment.from_string(template).render(
        report=report,
        shop=shop,
        cases=cases,
        inside=_inside(report.predictions),
        outside=_outside(report.predictions),
        bars=[
            Bar(name, titles.get(name, name), right, rows)
            for name, (right, rows) in report.recall.items()
        ],
        confusions=shown,
        more_confusions=len(report.confusions) - len(shown),
        title_of=lambda name: titles.get(name) or _OTHER_NAMES.get(name, name),
        histogram=_histogram(report.predictions),
        bins=BINS,
    )


def _inside(predictions: Sequence[Prediction]) -> list[Slice]:
    """Return the shares of in-scope rows: answered, asked back, missed, answered wrongly."""
    rows = [said for said in predictions if said.case.intents]
    answered = [said for said in rows if said.recognition.band is Band.ANSWER]
    clarified = [said for said in rows if said.recognition.band is Band.CLARIFY]
    right = sum(said.is_right for said in answered)
    offered = sum(said.offers_right for said in clarified)
    return _slices(
        ("答对", "good", right),
        ("反问，选项里有", "soft", offered),
        ("反问，选项里没有", "fair", len(clarified) - offered),
        ("没听懂", "quiet", len(rows) - len(answered) - len(clarified)),
        ("答错", "poor", len(answered) - right),
    )


def _outside(predictions: Sequence[Prediction]) -> list[Slice]:
    """Return the shares of out-of-scope rows: left alone, asked back, answered."""
    bands = [said.recognition.band for said in predictions if not said.case.intents]
    return _slices(
        ("没接话", "good", bands.count(Band.MISS)),
        ("反问了", "soft", bands.count(Band.CLARIFY)),
        ("乱答了", "poor", bands.count(Band.ANSWER)),
    )


def _slices(*parts: tuple[str, str, int]) -> list[Slice]:
    rows = sum(count for _, _, count in parts)
    return [Slice(name, tone, count / rows, count) for name, tone, count in parts] if rows else []


def _histogram(predictions: Sequence[Prediction]) -> Histogram:
    inside = [said for said in predictions if said.case.intents]
    right = _binned(said.confidence for said in inside if said.is_right)
    wrong = _binned(said.confidence for said in inside if not said.is_right)
    outside = _binned(said.confidence for said in predictions if not said.case.intents)
    # each side has its own scale: a set with ten times more of one still shows both
    highest, highest_outside = max((right + wrong).max(), 1), max(outside.max(), 1)
    return Histogram(
        (right / highest).tolist(), (wrong / highest).tolist(), (outside / highest_outside).tolist()
    )


def _binned(confidences: Iterable[float]) -> Floats:
    counts, _ = np.histogram(list(confidences), bins=BINS, range=(0, 1))
    binned: Floats = counts.astype(np.float32)
    return binned
