"""The demo shop of a data folder: its seed, and keeping it fresh while it runs."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.app.process.errors import BadData
from connectors.media.files import write_file
from handoff.errors import HandoffError
from shop.demo.seeding import (
    DemoShop,
    DemoWork,
    demo_shop,
    renew,
)
from shop.domain.ports import Units

log = structlog.get_logger(__name__)

_SEED_BYTES = 32
_RENEW_EVERY_S = 60.0


def has_demo(data_dir: Path) -> bool:
    """Return whether this data folder is that of a demo."""
    return _seed_file(data_dir).exists()


def demo_of(data_dir: Path, start: datetime) -> DemoShop:
    """Return the demo shop of a data folder, its times relative to ``start``.

    The seed is made once; the same folder always has the same numbers, passwords and cards.

    Raises:
        BadData: The seed cannot be read or written.
    """
    path = _seed_file(data_dir)
    try:
        if not path.exists():
            write_file(path, f"{secrets.token_hex(_SEED_BYTES)}\n".encode())
        seed = bytes.fromhex(path.read_text().strip())
    except OSError as error:
        raise BadData(
            f"{path}: 用不了（{error.strerror}），检查数据目录的权限和磁盘空间"
        ) from error
    except ValueError as error:
        raise BadData(f"{path}: 不是演示商店的种子，删掉它就会重新生成 (no demo seed)") from error
    return demo_shop(seed, start)


def demo_password(data_dir: Path) -> str:
    """The demo's password for ``admin``; it follows from the seed."""
    seed = demo_of(data_dir, datetime.now(UTC)).seed
    return hmac.digest(seed, b"admin password", "sha256").hex()[:12]


async def keep_fresh(units: Units[DemoWork], demo: DemoShop, clock: Callable[[], datetime]) -> None:
    """Keep the unpaid order unpaid and the promises unbroken, until cancelled."""
    while True:
        await asyncio.sleep(_RENEW_EVERY_S)
        try:
            await renew(units, demo, clock())
        except HandoffError as error:
            log.warning("demo_not_renewed", error=type(error).__name__)


def _seed_file(data_dir: Path) -> Path:
    return data_dir / "demo.seed"
