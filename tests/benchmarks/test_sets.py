from collections import Counter
from pathlib import Path

import pytest

from benchmarks.large import INTENTS, PHRASES_EACH, large_kb
from benchmarks.sets import SHIPPED_KB, labelled_set, write_kb
from bot.tools.registry import TOOL_SPECS
from knowledge_base.source.source import read_source


@pytest.mark.parametrize(
    ("name", "phrases", "intents", "inside", "outside"),
    [
        ("hint3", 599, 28, 459, 532),
        ("clinc150", 1500, 150, 4500, 1000),
        ("banking77", 770, 77, 3080, 0),
    ],
)
def test_a_public_set_is_whole(
    name: str, phrases: int, intents: int, inside: int, outside: int
) -> None:
    labelled = labelled_set(name)
    assert len(labelled.phrases) == phrases
    assert len({intent for _, intent in labelled.phrases}) == intents
    assert sum(bool(case.intents) for case in labelled.tests) == inside
    assert sum(not case.intents for case in labelled.tests) == outside


def test_the_customers_sample_asks_for_intents_of_the_shipped_kb() -> None:
    labelled = labelled_set("customers")
    known = set(read_source(SHIPPED_KB, TOOL_SPECS).intents)
    assert {name for case in labelled.tests for name in case.intents} <= known
    assert sum(not case.intents for case in labelled.tests) == 45


def test_a_set_becomes_the_kb_that_a_shop_would_have(tmp_path: Path) -> None:
    path = tmp_path / "kb.yaml"
    write_kb(
        [('say "hi": a\\b', "small_talk"), ("查订单", "order?"), ("hello", "small_talk")], path
    )
    intents = read_source(path, {}).intents
    assert {name: one.asks for name, one in intents.items()} == {
        "small_talk": ('say "hi": a\\b', "hello"),
        "order?": ("查订单",),
    }
    assert [one.title for one in intents.values()] == ["small talk", "order?"]


def test_the_large_kb_is_as_large_as_it_says_and_asks_nothing_that_it_learnt() -> None:
    phrases, said = large_kb()
    assert Counter(Counter(intent for _, intent in phrases).values()) == {PHRASES_EACH: INTENTS}
    assert not {phrase for phrase, _ in phrases} & set(said)
    assert len(said) > 1000
