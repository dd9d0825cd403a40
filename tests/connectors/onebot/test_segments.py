"""Messages in OneBot's two written forms say the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.onebot import segments
from connectors.onebot.segments import Segment
from devkit.onebot.platform import _cq

WORDS = st.text(st.sampled_from("好a,&[]=;#9 \n😀") | st.characters(codec="utf-8"), max_size=40)
PARTS = st.lists(
    st.one_of(
        WORDS.filter(bool).map(segments.text),
        st.builds(lambda number: segments.at(str(number)), st.integers(10_000, 99_999)),
        st.builds(lambda url: {"type": "image", "data": {"file": "a", "url": url}}, WORDS),
    ),
    max_size=6,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("你好", [Segment("text", {"text": "你好"})]),
        ("&#91;CQ:at,qq=1&#93;", [Segment("text", {"text": "[CQ:at,qq=1]"})]),
        ("[CQ:at,qq=10001]", [Segment("at", {"qq": "10001"})]),
        ("[CQ:face,id=1]b", [Segment("face", {"id": "1"}), Segment("text", {"text": "b"})]),
        ("[CQ:image,url=http://a/?x=1&amp;y=2]", [Segment("image", {"url": "http://a/?x=1&y=2"})]),
        ([{"type": "at", "data": {"qq": 10001}}], [Segment("at", {"qq": "10001"})]),
        ({"type": "text", "data": {"text": "x"}}, [Segment("text", {"text": "x"})]),
        ([{"data": {}}, None, "x", {"type": "text"}], [Segment("text", {})]),
        (None, []),
        (17, []),
    ],
)
def test_segments_are_read_as_the_standard_writes_them(written: Any, read: list[Segment]) -> None:
    assert list(segments.read(written)) == read


@given(PARTS)
def test_both_forms_say_the_same(parts: list[dict[str, Any]]) -> None:
    def joined(found: tuple[Segment, ...]) -> list[Any]:
        """Neighbouring texts are one text."""
        said: list[Any] = []
        for one in found:
            if one.type == "text" and said and isinstance(said[-1], str):
                said[-1] += one.get("text")
            else:
                said.append(one.get("text") if one.type == "text" else one)
        return said

    assert joined(segments.read(parts)) == joined(segments.read(_cq(parts)))


@given(WORDS)
def test_what_is_escaped_is_read_back(words: str) -> None:
    assert segments.unescape(segments.escape(words)) == words
    assert segments.unescape(segments.escape(words, is_parameter=True)) == words


@given(st.text(max_size=200))
def test_no_string_is_an_error(words: str) -> None:
    assert all(isinstance(one, Segment) for one in segments.read(words))
