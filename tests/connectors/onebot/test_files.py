"""What customers send over OneBot is fetched, whichever way the other side gives it out."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from connectors.errors import MediaBusy, MediaGone
from connectors.messages import MediaHandle
from devkit.onebot import FakeOneBot
from tests.connectors.onebot.conftest import Line

CONTENT = b"\x89PNG a picture"


async def got(line: Line, kind: str, data: dict[str, Any], *, group: str | None = None) -> bytes:
    """What is fetched of a segment that a customer sends."""
    fake = line.fakes[-1]
    parts = [{"type": kind, "data": data}]
    if group is not None:
        parts.insert(0, {"type": "at", "data": {"qq": fake.self_id}})
    await fake._tells("小明", parts, group=group)
    (message,) = await line.house.sink.until(1)
    return await line.connector.fetch(message.media[0], 1000)


def asked(fake: FakeOneBot) -> list[str]:
    named = [one.method for one in fake.calls]
    return [one for one in named if one.startswith("get_") and "contact" not in one]


ASKED = [
    ("image", "get_image"),
    ("image", "get_file"),
    ("video", "get_file"),
    ("file", "get_private_file_url"),
    ("file", "get_file"),
    ("record", "get_file"),
]


@pytest.mark.parametrize("how", ["url", "base64", "inline"])
@pytest.mark.parametrize("asked_for", ASKED)
@pytest.mark.parametrize(
    "handle",
    [
        {"file": "k1", "url": ""},
        {"file": "k1", "url": "file:///app/.cache/k1"},
        {"file": "name.png", "file_id": "k1"},
        {"file_id": "k1", "path": "/app/.cache/k1", "url": None},
    ],
)
async def test_a_file_without_an_address_is_asked_for(
    line: Line, qq: FakeOneBot, asked_for: tuple[str, str], how: str, handle: dict[str, Any]
) -> None:
    kind, action = asked_for
    qq.files["k1"], qq.gives = CONTENT, {action: how}
    assert await got(line, kind, handle) == CONTENT


async def test_a_groups_file_is_asked_for_with_its_group(line: Line, qq: FakeOneBot) -> None:
    qq.files["k1"], qq.gives = CONTENT, {"get_group_file_url": "url"}
    found = await got(line, "file", {"file": "单.pdf", "file_id": "k1", "busid": 102}, group="群")
    assert found == CONTENT
    (params,) = [one.parameters for one in qq.calls if one.method == "get_group_file_url"]
    assert params == {"file_id": "k1", "busid": "102", "group_id": qq.group_number("群")}


async def test_what_stands_in_the_message_needs_no_question(line: Line, qq: FakeOneBot) -> None:
    inline = "base64://" + base64.b64encode(CONTENT).decode()
    assert await got(line, "image", {"file": inline}) == CONTENT
    assert asked(qq) == []


async def test_an_address_that_has_ended_is_followed_by_a_question(
    line: Line,
    qq: FakeOneBot,
) -> None:
    qq.files["k1"], qq.gives = CONTENT, {"get_file": "base64"}
    data = {"file": "k1", "url": f"{qq.url}/file/gone"}
    assert await got(line, "image", data) == CONTENT


async def test_what_the_other_side_cannot_do_is_asked_once(line: Line, qq: FakeOneBot) -> None:
    qq.files["k1"], qq.gives = CONTENT, {"get_file": "base64"}
    await got(line, "image", {"file": "k1"})
    await line.connector.fetch(line.house.sink.messages[0].media[0], 1000)
    assert asked(qq) == ["get_image", "get_file", "get_file"]


@pytest.mark.parametrize("data", [{}, {"file": ""}, {"file": "k1"}, {"url": "file:///etc/passwd"}])
async def test_a_file_that_nobody_gives_out_is_gone(
    line: Line,
    qq: FakeOneBot,
    data: dict[str, Any],
) -> None:
    qq.gives = {"get_file": "path"}
    qq.files["k1"] = CONTENT
    with pytest.raises(MediaGone, match="expired"):
        await got(line, "image", data)


async def test_what_is_larger_than_allowed_is_refused(line: Line, qq: FakeOneBot) -> None:
    qq.files["k1"], qq.gives = b"x" * 2000, {"get_file": "base64"}
    with pytest.raises(MediaGone, match="too_large"):
        await got(line, "image", {"file": "k1"})


async def test_without_a_connection_it_is_tried_again_later(line: Line) -> None:
    with pytest.raises(MediaBusy, match="offline"):
        await line.connector.fetch(MediaHandle("image", {"type": "image", "file": "k1"}), 1000)
