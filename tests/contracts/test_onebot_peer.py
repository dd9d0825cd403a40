"""A real OneBot side speaks to our connector: its adapter, its event models, its silence.

Long form: set ``KEFU_TEST_ONEBOT_PEER`` to the path of a Python in which ``euler-onebot`` is
installed (``python -m venv /tmp/peer && /tmp/peer/bin/pip install euler-onebot==0.0.2``). It is run
as a program of its own and is no part of our lock files.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.messages import Address, HealthState, Unit
from tests.factories.channels import House, a_house
from tests.factories.messaging import an_outbound
from tests.factories.shop import FakeClock

PEER = os.environ.get("KEFU_TEST_ONEBOT_PEER")
SELF, USER = 2854196310, 10000001
pytestmark = pytest.mark.skipif(PEER is None, reason="KEFU_TEST_ONEBOT_PEER names no Python")


def part(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data}


SAID: list[tuple[list[dict[str, Any]], str, bool, int]] = [
    ([part("text", text="付了款没收到卡密")], "付了款没收到卡密", False, 0),
    ([part("text", text="看"), part("face", id="178")], "看🙂", False, 0),
    ([part("mface", face_id="1", tab_id="2", name="捂脸")], "🙂", False, 0),
    ([part("poke", id="1", type="1")], "[戳一戳]", True, 0),
    ([part("image", file="a.png", url="", summary="[图片]")], "", False, 1),
    ([part("image", file="a.gif", summary="[动画表情]", is_emoji=True)], "🙂", False, 1),
    ([part("record", file="a.amr")], "", False, 1),
    ([part("video", file="a.mp4", url="file:///a.mp4")], "", False, 1),
    ([part("forward", id="f")], "[聊天记录]", True, 0),
    (
        [part("node", user_id="1", nickname="甲", content=[part("text", text="卡用不了")])],
        "[聊天记录] 甲：卡用不了",
        True,
        0,
    ),
    ([], "[空消息]", True, 0),
    ([part("reply", id="77"), part("text", text="这个呢")], "这个呢", False, 0),
]


class Peer:
    """The other program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def says(self, segments: list[dict[str, Any]]) -> None:
        assert self._process.stdin is not None
        told = {"user_id": USER, "segments": segments, "time": 1795420800}
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        await self._process.stdin.drain()

    async def shows(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while True:
            line = await asyncio.wait_for(self._process.stdout.readline(), 20)
            assert line, "the peer ended"
            if line.startswith(b"{"):
                shown: dict[str, Any] = json.loads(line)
                return shown


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with a_house(FakeClock()) as made:
        yield made


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
async def peer(port: int, tmp_path: Path) -> AsyncIterator[Peer]:
    script = Path(__file__).with_name("onebot_peer.py")
    process = await asyncio.create_subprocess_exec(
        str(PEER),
        str(script),
        str(port),
        str(SELF),
        cwd=tmp_path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    for _ in range(300):  # it says nowhere that it listens
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        await asyncio.sleep(0.1)
    yield Peer(process)
    process.kill()
    await process.wait()


async def test_a_real_peer_is_heard_answered_and_not_taken_for_dead(
    house: House, peer: Peer, port: int
) -> None:
    entry = {
        "channel": "onebot",
        "account": "main",
        "self_id": str(SELF),
        "access_token": "peer-token-0123456789",
        "mode": "forward",
        "url": f"ws://127.0.0.1:{port}/",
        "action_timeout_s": 0.3,
    }
    connector = house.connector(entry)
    await connector.start()
    async with asyncio.timeout(20):
        while connector.health().state is not HealthState.UP:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    address = Address(connector.ref, str(USER), str(USER))
    for number, (segments, text, is_unreadable, files) in enumerate(SAID, 1):
        await peer.says(segments)
        heard = (await house.sink.until(number))[-1]
        assert (heard.text, heard.is_unreadable, len(heard.media)) == (text, is_unreadable, files)
        # the peer says nothing at all to an action that it does not know
        await connector.typing(address, "bot", is_on=True)
        unit = Unit(
            f"O{number}-0", an_outbound(address=address, text="您好"), text=f"您好 {number}"
        )
        sent = await connector.send(unit)
        assert await peer.shows() == {"user_id": USER, "text": f"您好 {number}"}
        assert sent.platform_ids
    assert connector.health().state is HealthState.UP
    await connector.stop()
