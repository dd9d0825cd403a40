"""``kefu run``: serving until a signal asks to end."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from bot.app.process.data_folder import warn_of_root
from bot.app.process.stopping import Stopping
from bot.app.process.tasks import Tasks
from bot.app.server import Started, running
from bot.app.settings import Settings


def serve(settings: Settings, *, is_demo: bool) -> None:
    """Run until stopped by a signal.

    Raises:
        KefuError: It cannot start; the message says what to do.
    """
    warn_of_root()
    if sys.platform == "win32":
        asyncio.run(_serve(settings, is_demo=is_demo))
    else:
        import uvloop  # noqa: PLC0415 - there is none on Windows

        uvloop.run(_serve(settings, is_demo=is_demo))


async def _serve(settings: Settings, *, is_demo: bool) -> None:
    stopping = Stopping()
    with suppress(asyncio.CancelledError):
        async with running(settings, is_demo=is_demo) as started:
            _announce(started, is_demo=is_demo)
            await _until_stopped(started, stopping)


async def _until_stopped(started: Started, stopping: Stopping) -> None:
    """Wait until a signal asks to end, or another process has the database.

    Raises:
        DatabaseInUse: Another process has it: nobody is served twice.
    """
    async with Tasks() as tasks:
        asked = tasks.create_task(stopping.asked())
        taken = tasks.create_task(started.claim.keep(started.services.resume))
        await asyncio.wait({asked, taken}, return_when=asyncio.FIRST_COMPLETED)
        started.services.storage.hurry()
        if taken.done():
            raise taken.result()


def _announce(started: Started, *, is_demo: bool) -> None:
    lines = ["", f"  客服聊天页  {started.url}/", f"  人工客服台  {started.url}/console"]
    once = "" if is_demo else "（只显示这一次，请记好）"
    if started.admin_password is not None:
        lines.append(f"  账号 admin  密码 {started.admin_password}   {once}")
    if is_demo:
        lines.append("  演示订单    kefu shop demo")
    _print("\n".join([*lines, "", "  按 Ctrl+C 停止", ""]))


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the one thing that a server says to whoever started it
