"""Half a sentence is waited for, a whole one is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turn.fragments import looks_unfinished


@pytest.mark.parametrize(
    "text",
    ["我昨天买的，", "那个", "我付了款但是", "你好、", "我买的是", "I paid and", "卡密", "emm…"],
)
def test_half_a_sentence_is_waited_for(text: str) -> None:
    assert looks_unfinished(text, is_understood=False)


@pytest.mark.parametrize(
    "text",
    [
        "付了款没收到卡密怎么办？",
        "在吗",
        "怎么退款呢",
        "谢谢",
        "我要退款。",
        "",
        "  ",
        "我昨天晚上买的点卡到现在都没有发货",
    ],
)
def test_a_whole_sentence_is_answered_at_once(text: str) -> None:
    assert not looks_unfinished(text, is_understood=False)


@given(st.text())
def test_what_is_understood_is_never_waited_for(text: str) -> None:
    assert not looks_unfinished(text, is_understood=True)


@given(st.text(), st.sampled_from(["？", "。", "！", "吗", "呢"]))
def test_a_sentence_that_ends_is_never_waited_for(text: str, end: str) -> None:
    assert not looks_unfinished(text + end, is_understood=False)


@given(st.text(min_size=1), st.sampled_from(["，", "、", "但是", "而且"]))
def test_a_sentence_that_goes_on_is_waited_for(text: str, goes_on: str) -> None:
    assert looks_unfinished(text + goes_on, is_understood=False)
