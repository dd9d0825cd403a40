"""Doors that an admin's file or a customer's link could open: tried on whole processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession
from pydantic import SecretStr

from connectors.app import signing
from storage.core.engine import engine_for
from tests.attack.target import APP_SECRET, accounts
from tests.factories.database import address_of
from tests.factories.process import KefuProcess, eventually, free_port, kefu
from tests.factories.server import SMALL_KB, new_data_folder

INSIDE = (
    "http://127.0.0.1:{port}/",
    "http://127。0。0。1:{port}/",
    "http://①②⑦.0.0.1:{port}/",
    "http://１２７.0.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.1:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://localhost:{port}/",
)


@dataclass
class Port:
    """A port of this machine, and how often somebody connected to it."""

    number: int = 0
    connections: int = 0

    async def serve(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer anything with a small file."""
        self.connections += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def a_port() -> AsyncIterator[Port]:
    port = Port()
    server = await asyncio.start_server(port.serve, "127.0.0.1", 0)
    port.number = server.sockets[0].getsockname()[1]
    async with server:
        yield port


def channels_file(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "channels.yaml"
    # JSON is YAML
    path.write_text(json.dumps({"channels": entries}, indent=1))
    return path


async def test_no_spelling_of_a_link_in_a_message_leads_inside(tmp_path: Path, fits: Path) -> None:
    async with a_port() as trap, a_port() as allowed:
        app = {
            "channel": "app",
            "account": "main",
            "secret": APP_SECRET,
            "webhook_url": "http://127.0.0.1:9/",
            "private_media": [f"127.0.0.1:{allowed.number}"],
        }
        process = KefuProcess(
            new_data_folder(tmp_path / "data", fits),
            SMALL_KB,
            KEFU_CHANNELS=str(channels_file(tmp_path, app)),
        )
        await process.start()
        try:
            for number, link in enumerate((f"http://127.0.0.1:{allowed.number}/", *INSIDE)):
                await says_with_file(process.url, number, link.format(port=trap.number))
            await eventually(
                lambda: states(process.data),
                until=lambda found: len(found) == len(INSIDE) + 1 and "pending" not in found,
                what="the end of fetching",
            )
        finally:
            await process.stop()
        assert sorted(await states(process.data)) == ["failed"] * len(INSIDE) + ["ready"]
        assert (allowed.connections, trap.connections) == (1, 0)


async def says_with_file(url: str, number: int, link: str) -> None:
    frame = {
        "id": f"m{number}",
        "type": "message",
        "user": {"id": f"u{number}"},
        "text": "看图",
        "attachments": [{"kind": "file", "url": link, "name": "a.txt"}],
    }
    body = json.dumps(frame).encode()
    headers = signing.headers(SecretStr(APP_SECRET), body, datetime.now(UTC))
    async with (
        ClientSession() as http,
        http.post(f"{url}/hooks/app/main", data=body, headers=headers) as answer,
    ):
        assert answer.status == 202, await answer.text()


async def states(data: Path) -> list[str]:
    """States of the files that messages carry."""
    engine = engine_for(address_of(data))
    try:
        with engine.connect() as connection:
            return list(connection.execute(sa.text("select state from attachments")).scalars())
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("channel", "name"), [("wechat", "token"), ("wecom", "token"), ("onebot", "access_token")]
)
async def test_kefu_does_not_run_with_an_empty_secret(
    channel: str, name: str, tmp_path: Path
) -> None:
    (entry,) = (one for one in accounts("http://127.0.0.1:9") if one["channel"] == channel)
    status, told = await kefu(
        "run",
        cwd=tmp_path,
        KEFU_CHANNELS=str(channels_file(tmp_path, {**entry, name: ""})),
        KEFU_KB=str(SMALL_KB),
        KEFU_PORT=str(free_port()),
        KEFU_DATA_DIR=str(tmp_path / "data"),
    )
    assert status == 2, told
    assert "channels.yaml:" in told
    assert name in told
    assert "Traceback" not in told
