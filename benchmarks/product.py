"""The real product in a process of its own, and what the kernel says of it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientError, ClientSession

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0
_POLL_S = 0.01
_TICKS = os.sysconf("SC_CLK_TCK")
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used since it started.

    Attributes:
        main_s: CPU seconds of its main thread.
        others_s: CPU seconds of each other thread, the busiest first.
        kernel_s: CPU seconds in system calls, all threads.
        written_bytes: Bytes that it caused to be written to the disk.
    """

    main_s: float
    others_s: tuple[float, ...]
    kernel_s: float
    written_bytes: int


@dataclass(frozen=True, slots=True)
class Product:
    """A running server.

    Attributes:
        ready_s: From starting the command until /readyz said yes.
    """

    url: str
    pid: int
    ready_s: float

    def usage(self) -> Usage:
        """What it has used up to now."""
        threads: dict[int, tuple[float, float]] = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            # the name in parentheses may hold anything: fields are counted behind it
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            threads[int(task.name)] = (int(fields[11]) / _TICKS, int(fields[12]) / _TICKS)
        main_user_s, main_kernel_s = threads.pop(self.pid)
        written = 0
        for line in Path(f"/proc/{self.pid}/io").read_text().splitlines():
            name, _, value = line.partition(": ")
            written = int(value) if name == "write_bytes" else written
        return Usage(
            main_s=main_user_s + main_kernel_s,
            others_s=tuple(sorted((user + kernel for user, kernel in threads.values()))[::-1]),
            kernel_s=main_kernel_s + sum(kernel for _, kernel in threads.values()),
            written_bytes=written,
        )

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Resident memory in megabytes (2**20); ``VmHWM`` for the most there ever was."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise LookupError(field)


@asynccontextmanager
async def product(data: Path) -> AsyncIterator[Product]:
    """``kefu run --demo`` on a data folder, ready, until the block ends.

    Raises:
        RuntimeError: It ended by itself, or was not ready in time.
    """
    port = _free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KEFU_")}
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "run", "--demo", "--port", str(port), "--data", str(data)),
        *("--kb", str(_ROOT / "kb.yaml")),
        env={**environment, "KEFU_LOG_LEVEL": "warning"},
        cwd=data,
        stdout=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await _ready(url, process)
        yield Product(url, process.pid, time.perf_counter() - started)
    finally:
        await _stop(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def _ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with ClientSession() as http, asyncio.timeout(READY_WITHIN_S):
        while process.returncode is None:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.ok:
                        return
            except ClientError:
                pass
            await asyncio.sleep(_POLL_S)
    raise RuntimeError(f"the server ended with status {process.returncode} before it was ready")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
