"""A network path that can fall silent: nothing arrives any more, and nothing is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_CHUNK = 65536


class QuietPath:
    """Carries bytes between a port of its own and a server, until it is frozen.

    What was on its way at that moment arrives when it thaws, as with a cable that is put back: the
    other side may then finish what nobody waits for any more.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        await self._flowing.wait()
        there, back = await asyncio.open_connection(*self._target)
        self._writers.append(back)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(_CHUNK):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        await self._flowing.wait()
        sink.close()

    async def close(self) -> None:
        self.thaw()
        for task in list(self._tasks):
            task.cancel()
        for writer in self._writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def quiet_path(host: str, port: int) -> AsyncIterator[QuietPath]:
    """A path to a server, on a free port of this machine."""
    path = QuietPath(host, port)
    listener = await asyncio.start_server(path.accept, "127.0.0.1", 0)
    path.port = int(listener.sockets[0].getsockname()[1])
    try:
        yield path
    finally:
        listener.close()
        await path.close()
