"""The server that is attacked: ``kefu run`` in a process of its own, as in production."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.factories.process import KefuProcess

ADMIN_PASSWORD = "a password of tests"
APP_SECRET = "a-secret-of-the-attacked-shop"
ONEBOT_TOKEN = "onebot-token-of-the-attacked-shop"
ONEBOT_SELF_ID = "2854196310"
RELAY_SECRET = "relay_secret_of_the_attacked_shop"
TELEGRAM_TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


@dataclass(frozen=True, slots=True)
class Target:
    """A running server, and what the kernel says of it."""

    process: KefuProcess

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def is_alive(self) -> bool:
        return self.process.is_alive

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Resident memory in megabytes (2**20); ``VmHWM`` for the most there ever was."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise LookupError(field)

    def cpu_s(self) -> float:
        """CPU seconds that it has used since its start, all threads."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        # the name in parentheses may hold anything: fields are counted behind it
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def disk_mb(self) -> float:
        """Size of the data folder without recognition's cache, in megabytes."""
        total = 0
        for folder, _, names in os.walk(self.process.data):
            total += sum(_size(Path(folder) / name) for name in names)
        return total / 2**20

    def log(self) -> str:
        """Everything that it has logged."""
        assert self.process.log is not None
        return self.process.log.read_text(errors="replace")


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # a temporary file that is gone by now
        return 0


@asynccontextmanager
async def target(
    folder: Path, kb: Path, *, sink: str = "", is_demo: bool = False, **settings: str
) -> AsyncIterator[Target]:
    """A server in production mode with an account of every channel, until the block ends.

    Args:
        folder: Holds ``data/``, in which recognition may be fitted already.
        is_demo: With the demo's orders; the chat page's own machine is then exempt from limits.
        sink: Base URL of the platforms; where kefu's replies go.
    """
    if sys.platform != "linux":
        raise RuntimeError("attacks come from many addresses of 127.0.0.0/8: Linux only")
    channels = folder / "channels.yaml"
    # JSON is YAML
    channels.write_text(json.dumps({"channels": accounts(sink or "http://127.0.0.1:9")}))
    process = KefuProcess(
        folder / "data",
        kb,
        log=folder / "kefu.log",
        is_demo=is_demo,
        **{
            "KEFU_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "KEFU_CHANNELS": str(channels),
            "KEFU_FRAGMENT_WAIT_S": "0.2",
            "KEFU_REQUESTS_PER_SECOND": "100",  # as shipped
            **settings,
        },
    )
    await process.start()
    try:
        yield Target(process)
    finally:
        await process.stop()


def accounts(sink: str) -> list[Mapping[str, Any]]:
    """An entry of channels.yaml for every channel that a stranger can reach by HTTP."""
    return [
        {
            "channel": "app",
            "account": "main",
            "secret": APP_SECRET,
            "webhook_url": f"{sink}/app",
        },
        {
            "channel": "telegram",
            "account": "main",
            "token": TELEGRAM_TOKEN,
            "updates": "relayed",
            "webhook_secret": RELAY_SECRET,
            "api_url": sink,
        },
        {
            "channel": "onebot",
            "account": "main",
            "self_id": ONEBOT_SELF_ID,
            "access_token": ONEBOT_TOKEN,
        },
        {
            "channel": "wechat",
            "account": "main",
            "app_id": "wx1234567890abcdef",
            "app_secret": "0123456789abcdef0123456789abcdef",
            "token": "wechatTokenOfTheAttackedShop",
            "encoding_aes_key": AES_KEY,
            "api_url": sink,
        },
        {
            "channel": "wecom",
            "account": "main",
            "corp_id": "ww1234567890abcdef",
            "secret": "a-secret-of-the-attacked-shop",
            "token": "wecomTokenOfTheAttackedShop",
            "aes_key": AES_KEY,
            "open_kfid": "wk1234567890abcdef",
            "api_url": sink,
        },
        {
            "channel": "qq",
            "account": "main",
            "app_id": "102000000",
            "secret": "a-secret-of-the-attacked-shop",
            "api_url": sink,
            "token_url": sink,
        },
    ]
