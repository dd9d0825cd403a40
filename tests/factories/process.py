"""``kefu run`` as a process of its own: it can be killed, starved and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from aiohttp import ClientError, ClientSession

from tests.factories.database import database_of

T = TypeVar("T")
READY_WITHIN_S = 120.0
POLL_S = 0.02


async def eventually(
    check: Callable[[], Awaitable[T]],
    *,
    until: Callable[[T], bool] = bool,
    within_s: float = READY_WITHIN_S,
    what: str = "it",
) -> T:
    """Ask until the answer will do; then that answer.

    Raises:
        AssertionError: It never was.
    """
    seen: T | None = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                seen = await check()
                if until(seen):
                    return seen
                await asyncio.sleep(POLL_S)  # it happens in another process
    except TimeoutError:
        raise AssertionError(f"{what} did not happen within {within_s} s; last: {seen!r}") from None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _environment(**settings: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("KEFU_")}
    # tests are one address that asks for much; the limit has tests of its own
    unlimited = {"KEFU_REQUESTS_PER_SECOND": "100000"}
    return {**clean, "KEFU_LOG_LEVEL": "warning", **unlimited, **settings}


def settings_of(data: Path) -> dict[str, str]:
    """What a process has to be told to use the database of a test's data folder."""
    url = database_of(data)
    return {} if url is None else {"KEFU_DATABASE_URL": url}


async def kefu(*arguments: str, cwd: Path, **settings: str) -> tuple[int, str]:
    """Run the command to its end; its status and what it said on stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        env=_environment(**settings),
        cwd=cwd,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            _, told = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, told.decode()


class KefuProcess:
    """One data folder and port; the process on them comes and goes.

    Attributes:
        log: A file for what it says on stderr, kept over restarts; ``None``: ours.
    """

    def __init__(
        self,
        data: Path,
        kb: Path,
        *,
        log: Path | None = None,
        is_demo: bool = False,
        **settings: str,
    ) -> None:
        self.data = data
        self.log = log
        self._demo = ("--demo",) if is_demo else ()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {
            **settings_of(data),
            "KEFU_DATA_DIR": str(data),
            "KEFU_KB": str(kb),
            "KEFU_PORT": str(self.port),
            "KEFU_ADMIN_PASSWORD": "a password of tests",
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start, and wait until it can take messages."""
        with ExitStack() as open_files:
            log = open_files.enter_context(self.log.open("ab")) if self.log else None
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run", *self._demo),
                env=_environment(**self._settings),
                cwd=self.data,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        async with ClientSession() as http:
            await eventually(
                lambda: self.answers(http, "/readyz", 200), within_s=READY_WITHIN_S, what="ready"
            )

    async def answers(self, http: ClientSession, path: str, status: int) -> bool:
        """Whether it answers with this status now."""
        assert self.is_alive, "the server ended by itself"
        try:
            async with http.get(f"{self.url}{path}") as answer:
                return answer.status == status
        except ClientError:
            return False

    async def kill(self) -> None:
        """SIGKILL: no last word, no clean-up."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, waiting for nothing."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; the exit status."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, and its exit status."""
        if self.is_alive:
            self.signal(signal.SIGTERM)
        return await self.ended()
