from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Rejected
from connectors.messages import Address, Attachment, ChannelRef, MessageId, Outbound, Unit
from connectors.wechat import outgoing
from connectors.wechat.api import encoded

ADDRESS = Address(ChannelRef("wechat", "main"), "oAlice", "oAlice")
OUTBOUND = Outbound(
    "01JOUT", ADDRESS, MessageId("01JMSG"), 1, "…", "bot", datetime(2026, 11, 23, tzinfo=UTC)
)


def a_unit(text: str, *buttons: tuple[str, str]) -> Unit:
    return Unit("01JOUT-0", OUTBOUND, text=text, buttons=buttons)


@given(st.text(max_size=200))
def test_no_text_reaches_a_customer_escaped(text: str) -> None:
    body = encoded(outgoing.message(a_unit(text), max_text_bytes=2048)).decode()
    assert "\\u" not in body.replace("\\\\", "")


def test_buttons_become_a_menu() -> None:
    body = outgoing.message(a_unit("想问什么？", ("kf1:A:0", "查订单")), max_text_bytes=2048)
    assert body["msgtype"] == "msgmenu"
    assert body["msgmenu"]["list"] == [{"id": "kf1:A:0", "content": "查订单"}]
    assert body["msgmenu"]["head_content"] == "想问什么？"


def test_a_menu_that_is_too_long_may_pass_as_numbers() -> None:
    with pytest.raises(Rejected) as refused:
        outgoing.message(a_unit("字" * 680, ("kf1:A:0", "查订单")), max_text_bytes=2048)
    assert refused.value.is_format


@pytest.mark.parametrize(
    ("mime", "size", "code"), [("image/webp", 9, "file_kind"), ("image/png", 11, "too_large")]
)
def test_files_that_the_platform_refuses_are_not_sent(mime: str, size: int, code: str) -> None:
    attachment = Attachment("A1", "image", mime, size)
    with pytest.raises(Rejected) as refused:
        outgoing.file_name(attachment, b"x" * size, max_bytes=10)
    assert refused.value.code == code


def test_an_upload_is_named_by_what_it_is() -> None:
    attachment: Any = Attachment("A1", "image", "image/png", 3, name="../截图.exe")
    assert outgoing.file_name(attachment, b"png", max_bytes=10) == "image.png"
