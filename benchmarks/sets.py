"""Labelled sets: phrases to learn from, utterances to be tried on, and what others reached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.tools.registry import TOOL_SPECS
from knowledge_base.evaluation.cases import Case, read_cases
from knowledge_base.source.source import read_source

DATA = Path(__file__).resolve().parent / "data"
SHIPPED_KB = Path(__file__).resolve().parent.parent / "kb.yaml"


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """One comparison's material.

    Attributes:
        name: As on the command line.
        phrases: (phrase, intent) to learn from, as written.
        tests: What is asked afterwards; never learnt from.
        kb: The kb.yaml that holds these phrases, where there is one.
    """

    name: str
    phrases: tuple[tuple[str, str], ...]
    tests: tuple[Case, ...]
    kb: Path | None = None


_PUBLIC = {
    "hint3": "hint3v2_curekart",
    "clinc150": "clinc150_10shot",
    "banking77": "banking77_10shot",
}
NAMES = (*_PUBLIC, "customers")
TITLES = {
    "hint3": "HINT3 curekart v2",
    "clinc150": "CLINC150 10-shot",
    "banking77": "BANKING77 10-shot",
    "customers": "customers_sample",
}


def labelled_set(name: str) -> LabelledSet:
    """One of ``NAMES``, read from disk."""
    if name == "customers":
        return LabelledSet(
            name=name,
            phrases=_phrases_of_kb(SHIPPED_KB),
            tests=read_cases(DATA / "customers_sample.csv"),
            kb=SHIPPED_KB,
        )
    folder = _PUBLIC[name]
    return LabelledSet(
        name=name,
        phrases=tuple(
            (case.text, intent)
            for case in read_cases(DATA / folder / "train.csv")
            for intent in case.intents
        ),
        tests=read_cases(DATA / folder / "test.csv"),
    )


def write_kb(phrases: Sequence[tuple[str, str]], path: Path) -> None:
    """The kb.yaml that a shop with these phrases would have; JSON is YAML.

    The title, which recognition learns from too, is the intent's name in words: nothing that the
    set does not say.
    """
    intents: dict[str, dict[str, object]] = {}
    for phrase, intent in phrases:
        one = intents.setdefault(
            intent, {"title": intent.replace("_", " "), "ask": [], "answer": intent}
        )
        asks = one["ask"]
        assert isinstance(asks, list)
        asks.append(phrase)
    shop = {"name": "benchmark", "timezone": "Asia/Shanghai", "hours": "每天 09:00-23:00"}
    path.write_text(json.dumps({"shop": shop, "intents": intents}), encoding="utf-8")


def _phrases_of_kb(path: Path) -> tuple[tuple[str, str], ...]:
    intents = read_source(path, TOOL_SPECS).intents.values()
    return tuple(
        (phrase, str(intent.id)) for intent in intents for phrase in (intent.title, *intent.asks)
    )
