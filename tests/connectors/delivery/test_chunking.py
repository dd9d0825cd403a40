"""A long text arrives in readable pieces, none too long, nothing lost."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.chunking import MEASURES, chunks

UNITS = sorted(MEASURES)
PIECES = st.sampled_from(
    [
        "好",
        "a",
        " ",
        "\n",
        "\n\n",
        "。",
        "，",
        "😀",
        "👨‍👩‍👧",
        "🇨🇳",
        "👍🏽",
        "é",
        "https://a.example/x?y=1",
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=150).map("".join))


def clusters(text: str) -> list[str]:
    return [one for one in regex.findall(r"\X", text) if not one.isspace()]


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.sampled_from(UNITS), st.integers(48, 200))
def test_no_piece_is_too_long_and_no_character_is_lost(text: str, unit: str, limit: int) -> None:
    pieces = chunks(text, limit, unit)
    assert all(0 < MEASURES[unit](piece) <= limit for piece in pieces)
    assert squeezed("".join(pieces)) == squeezed(text)


@given(st.lists(PIECES, max_size=150).map("".join), st.sampled_from(UNITS))
def test_what_is_read_as_one_character_is_not_cut(text: str, unit: str) -> None:
    pieces = chunks(text, 64, unit)
    assert [one for piece in pieces for one in clusters(piece)] == clusters(text)


def test_letters_of_indian_scripts_are_not_cut_within_a_syllable() -> None:
    # two consonants that a virama joins; half of it is another letter
    assert all(len(one) % 3 == 0 for one in chunks("क्ष" * 30, 16, "chars"))


def test_a_character_longer_than_the_limit_is_cut_all_the_same() -> None:
    text = "e" + "\u0301" * 99
    assert "".join(chunks(text, 40, "chars")) == text


@pytest.mark.parametrize("unit", UNITS)
def test_a_text_exactly_at_the_limit_is_one_piece_and_one_more_makes_two(unit: str) -> None:
    width = MEASURES[unit]("字")
    assert chunks("字" * 100, 100 * width, unit) == ["字" * 100]
    assert [len(one) for one in chunks("字" * 101, 100 * width, unit)] == [100, 1]
    assert len(chunks("字" * 1000, 100 * width, unit)) == 10


def test_it_is_cut_between_paragraphs_rather_than_sentences_rather_than_clauses() -> None:
    assert chunks("第一段说完。\n\n第二段，还没", 12, "chars") == ["第一段说完。", "第二段，还没"]
    assert chunks("您好。请稍等，我查一下", 8, "chars") == ["您好。请稍等，", "我查一下"]
    assert chunks("您好。请稍等我查一下吧", 8, "chars") == ["您好。请稍等我查", "一下吧"]


def test_an_address_and_a_card_key_stay_whole() -> None:
    address = "https://shop.example.com/orders/0123456789"
    assert chunks(f"请看这里 {address}", 44, "chars") == ["请看这里", address]
    key = "STAR 7KQ2 M8XD 41VN"
    assert any(key in one for one in chunks(f"您的卡密是这一个 {key}", 24, "chars", [key]))


def test_a_key_longer_than_the_limit_is_cut_all_the_same() -> None:
    key = "K" * 100
    assert chunks(key, 40, "chars", [key]) == ["K" * 40, "K" * 40, "K" * 20]


def test_a_flag_is_never_cut_in_half() -> None:
    for piece in chunks("🇨🇳" * 30, 17, "utf16"):
        assert len(piece) % 2 == 0
