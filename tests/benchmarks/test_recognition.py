from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.figures import Spread
from benchmarks.recognition import SIZES, Aims, Cost, cost_lines, cost_of
from benchmarks.sets import write_kb

AIMS = Aims(p50_ms=0.4, p99_ms=1.5, fit_s=3, gained_mb=80)
COST = Cost(
    phrases=3000,
    intents=50,
    fit_s=2.5,
    fit_cpu_s=4,
    fit_peak_mb=230,
    told=54,
    silence_s=0.5,
    load_s=0.2,
    gained_mb=25,
    one=Spread(0.3, 1.2, 4),
    all=Spread(0.4, 1.4, 4),
    long_s=0.008,
    not_for_serving=(),
)


def test_what_reaches_its_aim_is_ok() -> None:
    text = "\n".join(cost_lines(COST, AIMS))
    assert text.count(": ok") == 5
    assert "short" not in text


@pytest.mark.parametrize(
    "worse",
    [
        replace(COST, one=Spread(0.5, 1.2, 4)),
        replace(COST, one=Spread(0.3, 1.6, 4)),
        replace(COST, fit_s=3.1),
        replace(COST, gained_mb=81),
        replace(COST, not_for_serving=("sklearn",)),
    ],
)
def test_each_aim_can_be_missed(worse: Cost) -> None:
    text = "\n".join(cost_lines(worse, AIMS))
    assert text.count(": short") == 1


def test_a_size_without_an_aim_for_memory_shows_what_it_took() -> None:
    _, aims = SIZES["large"]
    lines = list(cost_lines(COST, aims))
    assert any(line.endswith("25 MB") for line in lines)


def test_a_kb_is_fitted_in_one_process_and_served_in_another(tmp_path: Path) -> None:
    path = tmp_path / "kb.yaml"
    phrases = [(f"{word} {n}", word) for word in ("order", "refund") for n in range(10)]
    write_kb(phrases, path)
    cost = cost_of(path, tmp_path / "fits", ["order 3", "where is my refund"])
    assert (cost.intents, cost.phrases) == (2, 20)
    assert cost.fit_s > cost.load_s > 0
    assert cost.fit_peak_mb > 10
    assert cost.told > 0
    assert 0 < cost.one.p50 <= cost.one.p99
    assert cost.not_for_serving == ()
