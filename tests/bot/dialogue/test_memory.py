"""What the bot remembers between two turns."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.memory import Memory, Mention, PendingTool
from tests.factories.dialogue import NUMBER

WORDS = st.text(max_size=8)
PAIRS = st.tuples(WORDS, WORDS)
MEMORIES = st.builds(
    Memory,
    pending=st.none()
    | st.builds(
        PendingTool,
        tool=WORDS,
        intent=WORDS,
        asking=WORDS,
        slots=st.dictionaries(WORDS, WORDS, max_size=2),
        is_secret=st.booleans(),
        tries=st.integers(0, 3),
    ),
    offered=st.lists(PAIRS, max_size=3).map(tuple),
    misses=st.integers(0, 3),
    last_question=WORDS,
    spoken_of=st.dictionaries(
        WORDS, st.builds(Mention, value=WORDS, turns_ago=st.integers(0, 9)), max_size=2
    ),
    is_english=st.booleans(),
    tried=st.lists(WORDS, max_size=3).map(tuple),
    orders=st.lists(PAIRS, max_size=3).map(tuple),
)


@given(MEMORIES)
def test_a_memory_comes_back_from_storage_as_it_was(memory: Memory) -> None:
    assert Memory.from_json(json.loads(json.dumps(memory.as_json()))) == memory


def test_an_empty_memory_takes_no_room() -> None:
    assert Memory().as_json() == {}


def test_what_only_an_older_version_knew_is_dropped() -> None:
    assert Memory.from_json({"misses": 1, "last_order": NUMBER, "mood": "bad"}) == Memory(misses=1)


def test_a_question_that_does_not_say_whether_it_is_secret_counts_as_secret() -> None:
    asked = {"tool": "card_resend", "intent": "order_resend", "asking": "proof"}
    pending = Memory.from_json({"pending": asked}).pending
    assert pending is not None
    assert pending.is_secret


def test_what_was_spoken_of_moves_away_turn_by_turn() -> None:
    memory = Memory().having_spoken_of({"order_number": NUMBER}, "delivered")
    for _ in range(3):
        memory = memory.at_next_turn()
    assert memory.is_near("order_number", 3)
    assert not memory.at_next_turn().is_near("order_number", 3)
    assert not memory.is_near("product", 99)


def test_an_order_looked_up_again_is_listed_once_with_its_last_state() -> None:
    memory = Memory().having_spoken_of({"order_number": "A"}, "processing")
    memory = memory.having_spoken_of({"order_number": "B"}, "expired")
    memory = memory.having_spoken_of({"order_number": "A"}, "delivered")
    assert memory.orders == (("B", "expired"), ("A", "delivered"))


def test_a_product_that_was_spoken_of_leaves_the_order_in_place() -> None:
    memory = Memory().having_spoken_of({"order_number": "A"}, "processing")
    memory = memory.having_spoken_of({"product": "Steam 50"}, "in_stock")
    assert set(memory.spoken_of) == {"order_number", "product"}
    assert memory.orders == (("A", "processing"),)


@given(st.lists(WORDS, max_size=20))
def test_of_what_was_tried_the_last_six_are_kept(tried: list[str]) -> None:
    memory = Memory()
    for words in tried:
        memory = memory.having_tried(words)
    assert list(memory.tried) == tried[-6:]
