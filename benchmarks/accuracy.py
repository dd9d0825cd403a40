"""How often recognition is right, beside others: ``python -m benchmarks.accuracy --help``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import click
import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.contenders import CONTENDERS, Guess
from benchmarks.figures import Spread
from benchmarks.published import PUBLISHED, PUBLISHED_SPEED, SOURCES
from benchmarks.sets import NAMES, SHIPPED_KB, TITLES, LabelledSet, labelled_set
from bot.tools.registry import TOOL_SPECS
from knowledge_base.evaluation.cases import Case
from knowledge_base.evaluation.evaluation import Report, evaluate
from knowledge_base.recognition.loader import load

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
    low = np.array([said.confidence for case, said in pairs if not case.intents])
    right = np.array([is_right for is_right, _ in inside])
    high = np.array([confidence for _, confidence in inside])
    auroc = kept = None
    if len(low):
        is_inside = np.arange(len(high) + len(low)) < len(high)
        auroc = float(roc_auc_score(is_inside, np.concatenate([high, low])))
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


def accuracy_lines(found: Mapping[tuple[str, str], Accuracy]) -> Iterator[str]:
    """For people: who, and one column a set.

    Args:
        found: (contender, set) → what it reached.
    """
    names = [name for name in NAMES if any(of == name for _, of in found)]
    who = list(dict.fromkeys(contender for contender, _ in found))
    yield "right % / AUROC in scope against oos / right % kept where 80 % of oos are rejected"
    yield _line("", [TITLES[name] for name in names])
    for contender in who:
        yield _line(contender, [found[contender, name].cell for name in names])
    for contender in who:
        spreads = [found[contender, name].query for name in names]
        yield _line(f"  {contender}, p50 · p99 ms", [f"{s.p50:.2f} · {s.p99:.2f}" for s in spreads])
    beside = [one for one in PUBLISHED if any(name in one.cells for name in names)]
    if beside:
        yield "published, or measured before (number: source)"
    for one in beside:
        yield _line(f"  {one.engine} ({one.source})", [one.cells.get(name, "") for name in names])
    for number in sorted({one.source for one in beside}):
        yield f"  ({number}) {SOURCES[number - 1]}"
    yield f"  {PUBLISHED_SPEED}"


def customers_lines(report: Report) -> Iterator[str]:
    """All figures of ``kefu kb eval`` on the shipped kb.yaml."""
    yield f"kefu kb eval, {TITLES['customers']}: {report.n} in scope, {report.n_oos} oos"
    for name, figure in report.as_json().items():
        if isinstance(figure, float) and name != "fit_s":
            yield f"  {name:<18}{figure:.3f}" if name == "auroc" else f"  {name:<18}{figure:.1%}"


def compare(contenders: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Measure, and give the lines of the report; slow."""
    found: dict[tuple[str, str], Accuracy] = {}
    for name in names:
        labelled = labelled_set(name)
        for contender in contenders:
            click.echo(f"{contender} on {name} …", err=True)
            found[contender, name] = measure(contender, labelled)
    yield from accuracy_lines(found)
    if "customers" in names and "kefu" in contenders:
        yield ""
        kb = load(SHIPPED_KB, tools=TOOL_SPECS, cache_dir=None)
        yield from customers_lines(evaluate(kb, labelled_set("customers").tests))


def _line(who: str, cells: Sequence[str]) -> str:
    return f"{who:<30}{''.join(f'{cell:<21}' for cell in cells)}".rstrip()


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(CONTENDERS)), help="Repeatable.")
@click.option("--set", "names", multiple=True, type=click.Choice(NAMES), help="Repeatable.")
def main(*, only: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Compare kefu with a plain scikit-learn pipeline and rapidfuzz on labelled sets."""
    for line in compare(only or tuple(CONTENDERS), names or NAMES):
        click.echo(line)


if __name__ == "__main__":
    main()
