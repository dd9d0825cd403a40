"""What a connector is given of the house that it lives in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from connectors.messages import Attachment, ChannelRef, Sink

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from connectors.media.download import Downloads


class Files(Protocol):
    """Files that go out to customers."""

    async def read(self, attachment: Attachment) -> bytes:
        """The bytes.

        Raises:
            MediaGone: They are no longer there.
        """
        ...

    def link(self, attachment: Attachment) -> str | None:
        """A signed public address that expires; ``None`` where kefu has no public address."""
        ...


class Leases(Protocol):
    """Who may do what only one process may do: poll an account."""

    async def hold(self, name: str, for_s: float) -> bool:
        """Take or prolong a lease.

        Returns:
            ``False`` while another process holds it, or when that cannot be told (fail closed).
        """
        ...

    async def release(self, name: str) -> None:
        """Give it back; nothing if it is not ours."""
        ...


class Checkpoints(Protocol):
    """How far connectors have read; written by ``Sink.accept``."""

    async def get(self, ref: ChannelRef, name: str) -> str | None:
        """The stored value; ``None`` at the first start.

        Raises:
            NotStored: The database cannot be read now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """Given to every connector when it is made.

    Attributes:
        http: Shared session for the platforms' APIs: no cookies, 15 s in all for a call. Give
            ``allow_redirects=False`` at calls that carry a token.
        downloads: For addresses that a message named: only public ones, with a size limit.
        clock: Never runs backwards; for stamps and waits.
        wall: The machine's own clock, which may be set: for what is compared with the clocks of
            other machines, as signatures are.
        sleep: Waits; tests pass one that does not.
        random: In [0, 1), for jitter.
        public_url: Where the world reaches kefu, without a slash at the end; ``None`` if nobody
            said.
    """

    sink: Sink
    clock: Callable[[], datetime]
    wall: Callable[[], datetime]
    http: ClientSession
    downloads: Downloads
    files: Files
    leases: Leases
    checkpoints: Checkpoints
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
    public_url: str | None
