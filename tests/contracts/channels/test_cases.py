"""No cell of the list of cases is empty by forgetting: each has a test, and each test exists."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts import channels
from tests.contracts.channels.cases import CASES, ELSEWHERE, LETTERS

CONNECTORS = Path(__file__).parents[2] / "connectors"


def shown_here() -> Iterator[tuple[int, str]]:
    """Case and channel of each test of a class that has a mode."""
    for found in pkgutil.iter_modules(channels.__path__):
        if not found.name.startswith("test_"):
            continue
        module = importlib.import_module(f"{channels.__name__}.{found.name}")
        for made in vars(module).values():
            mode = getattr(made, "mode", None)
            if not isinstance(made, type) or mode is None or not made.__name__.startswith("Test"):
                continue
            for name in dir(made):
                marks = getattr(getattr(made, name), "pytestmark", ())
                for mark in marks if name.startswith("test_") else ():
                    if mark.name == "case":
                        yield from ((number, mode.channel) for number in mark.args)


def names_of(channel: str) -> set[str]:
    """Names of the tests that a channel has of its own, and of those that all share."""
    shared = (CONNECTORS, CONNECTORS / "delivery")
    paths = [path for folder in (*shared, CONNECTORS / channel) for path in folder.glob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_channel_shows_every_case_that_it_has() -> None:
    expected = {
        (number, channel)
        for number, (_, letters) in CASES.items()
        for channel, letter in LETTERS.items()
        if letter in letters
    }
    assert expected - set(ELSEWHERE) - set(shown_here()) == set()


@pytest.mark.parametrize("channel", LETTERS)
def test_what_is_shown_elsewhere_is_there(channel: str) -> None:
    named = {name for (_, whose), names in ELSEWHERE.items() if whose == channel for name in names}
    assert named - names_of(channel) == set()
