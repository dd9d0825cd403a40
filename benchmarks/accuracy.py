"""How often recognition is right, beside others: ``python -m benchmarks.accuracy --help``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import click
import numpy as np

from benchmarks.contenders import CONTENDERS, Guess
from benchmarks.figures import Spread
from benchmarks.sets import NAMES, LabelledSet, labelled_set
from knowledge_base.cases import Case

REJECTED = 0.8


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One contender on one set; shares in [0, 1].

    Attributes:
        right: In-scope utterances whose best intent is right, nothing rejected.
        auroc: Chance that an in-scope utterance is surer than an out-of-scope one; ``None``
            where the set has none of the latter.
        kept: In-scope utterances that are right and surer than 80 % of all out-of-scope ones.
        fit_s: Seconds to learn the set.
        query: One utterance, milliseconds.
    """

    right: float
    auroc: float | None
    kept: float | None
    fit_s: float
    query: Spread

    @property
    def cell(self) -> str:
        """As in the tables: ``85.2/.910/75.8``."""
        if self.auroc is None or self.kept is None:
            return f"{self.right:.1%}".rstrip("%")
        return f"{100 * self.right:.1f}/{f'{self.auroc:.3f}'.lstrip('0')}/{100 * self.kept:.1f}"


def accuracy_of(
    cases: Sequence[Case], guesses: Sequence[Guess], *, fit_s: float = 0.0, query: Spread
) -> Accuracy:
    """Count guesses, one for each case."""
    pairs = list(zip(cases, guesses, strict=True))
    inside = [
        (said.intent in case.intents, said.confidence) for case, said in pairs if case.intents
    ]
    low = np.sort([said.confidence for case, said in pairs if not case.intents])
    right = np.array([is_right for is_right, _ in inside])
    high = np.array([confidence for _, confidence in inside])
    auroc = kept = None
    if len(low):
        below = np.searchsorted(low, high, side="left") + np.searchsorted(low, high, side="right")
        auroc = float(below.mean() / 2 / len(low))
        kept = float((right & (high > np.quantile(low, REJECTED))).mean())
    return Accuracy(float(right.mean()), auroc, kept, fit_s, query)


def measure(name: str, labelled: LabelledSet) -> Accuracy:
    """Let one of ``CONTENDERS`` learn a set and try it."""
    fitted = CONTENDERS[name](labelled)
    guesses: list[Guess] = []
    took_s: list[float] = []
    for case in labelled.tests:
        started = time.perf_counter()
        guesses.append(fitted.understand(case.text))
        took_s.append(time.perf_counter() - started)
    return accuracy_of(labelled.tests, guesses, fit_s=fitted.fit_s, query=Spread.of(took_s))


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(CONTENDERS)), help="Repeatable.")
@click.option("--set", "names", multiple=True, type=click.Choice(NAMES), help="Repeatable.")
def main(*, only: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Compare kefu with a plain scikit-learn pipeline and rapidfuzz on labelled sets."""
    for name in names or NAMES:
        labelled = labelled_set(name)
        for contender in only or CONTENDERS:
            found = measure(contender, labelled)
            click.echo(
                f"{name:<12}{contender:<12}{found.cell:<18}fit {found.fit_s:6.2f} s   "
                f"p50 {found.query.p50:.2f}  p99 {found.query.p99:.2f} ms"
            )


if __name__ == "__main__":
    main()
