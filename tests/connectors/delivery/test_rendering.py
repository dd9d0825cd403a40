"""One message becomes what its channel can show."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.chunking import utf16_units
from connectors.delivery.rendering import as_html, render
from connectors.messages import (
    Attachment,
    Button,
    Capabilities,
    Markup,
    MediaState,
    MessageId,
    button_token,
    read_button_token,
)
from tests.factories.messaging import an_outbound

PLAIN = Capabilities(max_text=2048, text_unit="bytes")
TELEGRAM = Capabilities(
    max_text=4096,
    text_unit="utf16",
    has_buttons=True,
    markup=Markup.HTML,
    sends=frozenset({"image"}),
)
CHOICES = (Button("intent:order", "查订单"), Button("handoff", "转人工"))
ID = MessageId("01JABCDEFGHJKMNPQRSTVWXYZ0")
TAG = re.compile(r"<[^>]*>")


def a_picture(**more: object) -> Attachment:
    return Attachment(**{"id": "p1", "kind": "image", "mime": "image/png", "size": 9, **more})  # type: ignore[arg-type]


def test_buttons_are_numbered_where_the_channel_draws_none() -> None:
    (unit,) = render(an_outbound(text="您想问哪个？", buttons=CHOICES), PLAIN)
    assert unit.text == "您想问哪个？\n\n1. 查订单\n2. 转人工\n（回复数字就行）"
    assert unit.buttons == ()


def test_english_choices_are_explained_in_english() -> None:
    choices = (Button("a", "My order"), Button("b", "Talk to a person"))
    (unit,) = render(an_outbound(text="Which one?", buttons=choices), PLAIN)
    assert unit.text.endswith("(just reply with the number)")


def test_drawn_buttons_carry_a_token_that_finds_them_again() -> None:
    (unit,) = render(an_outbound(text="哪个？", buttons=CHOICES, message_id=ID), TELEGRAM)
    assert [label for _, label in unit.buttons] == ["查订单", "转人工"]
    assert [read_button_token(token) for token, _ in unit.buttons] == [(ID, 0), (ID, 1)]
    assert all(len(token.encode()) <= 64 for token, _ in unit.buttons)


def test_what_is_no_token_of_ours_names_no_button() -> None:
    assert read_button_token("intent:order") is None
    assert read_button_token(button_token(ID, 3) + "x") is None


def test_buttons_stand_under_the_last_piece_of_a_long_text() -> None:
    units = render(an_outbound(text="很长。" * 3000, buttons=CHOICES), TELEGRAM)
    assert len(units) > 1
    assert [bool(unit.buttons) for unit in units] == [False] * (len(units) - 1) + [True]
    assert [unit.is_last for unit in units] == [False] * (len(units) - 1) + [True]


def test_too_many_or_too_long_choices_are_numbered_although_the_channel_draws_buttons() -> None:
    many = tuple(Button(f"b{number}", f"第{number}个") for number in range(12))
    (unit,) = render(an_outbound(text="哪个？", buttons=many), TELEGRAM)
    assert unit.buttons == ()
    assert "12. 第11个" in unit.text


def test_a_short_text_only_stands_over_buttons_where_the_channel_wants_it_short() -> None:
    able = Capabilities(max_text=2000, has_buttons=True, max_button_text=50)
    units = render(an_outbound(text="很长的一句话。" * 20, buttons=CHOICES), able)
    assert units[-1].buttons
    assert len(units[-1].text) <= 50


def test_the_stars_become_choices_where_the_channel_has_none() -> None:
    (unit,) = render(an_outbound(text="这次服务您还满意吗？", kind="csat"), PLAIN)
    assert "5. ★★★★★ 很满意" in unit.text


def test_ids_of_units_are_the_same_at_every_rendering_and_short_enough() -> None:
    message = an_outbound(text="很长。" * 3000, outbox_id="0" * 26)
    first = [unit.id for unit in render(message, PLAIN)]
    assert first == [unit.id for unit in render(message, PLAIN)]
    assert len(set(first)) == len(first)
    assert all(re.fullmatch(r"[0-9A-Z-]{1,32}", key) for key in first)


def test_a_file_goes_after_the_text_or_is_named_where_it_cannot_go() -> None:
    message = an_outbound(text="看这张图", attachments=(a_picture(),))
    text, file = render(message, TELEGRAM)
    assert (text.text, file.attachment) == ("看这张图", a_picture())
    (alone,) = render(message, PLAIN)
    assert "[这里有一个图片，这个渠道发不了]" in alone.text


def test_a_file_that_has_not_arrived_is_not_sent() -> None:
    waiting = a_picture(state=MediaState.PENDING)
    units = render(an_outbound(text="看图", attachments=(waiting,)), TELEGRAM)
    assert [unit.attachment for unit in units] == [None]


def test_a_card_key_is_marked_so_that_a_tap_copies_it() -> None:
    (unit,) = render(an_outbound(text="卡密：A<B>&1", codes=("A<B>&1",)), TELEGRAM)
    assert unit.text == "卡密：<code>A&lt;B&gt;&amp;1</code>"


def test_plain_rendering_has_no_markup_at_all() -> None:
    (unit,) = render(an_outbound(text="1 < 2 & 3"), TELEGRAM, is_plain=True)
    assert (unit.text, unit.markup) == ("1 < 2 & 3", Markup.PLAIN)


@given(st.text(max_size=300), st.lists(st.text(min_size=1, max_size=12), max_size=3))
def test_html_shows_exactly_what_was_said(text: str, codes: list[str]) -> None:
    written = as_html(text, codes)
    assert html.unescape(TAG.sub("", written)) == html.unescape(html.escape(text, quote=False))
    assert set(TAG.findall(written)) <= {"<code>", "</code>"}
    assert written.count("<code>") == written.count("</code>")


@given(st.text(alphabet="<>&😀好a\n。", min_size=1, max_size=300))
def test_pieces_are_within_the_limit_as_it_is_read_not_as_it_is_escaped(text: str) -> None:
    able = Capabilities(max_text=20, text_unit="utf16", markup=Markup.HTML)
    for unit in render(an_outbound(text=text), able):
        assert utf16_units(html.unescape(TAG.sub("", unit.text))) <= 20
