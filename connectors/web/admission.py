"""Limits of the web chat: how much a visitor, and the source behind them, may ask of us.

Everything here is counted before anything is read, parsed or looked up, in memory, and for the life
of the process: a page that reconnects finds its limit as it left it. The figures are far above what
a person does and what a shop's customers behind one address do (a school, a mobile network's shared
address, a proxy that names nobody), and far below what takes the server from everybody else.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.kit.rate import (
    WIDE,
    WIDE_SHARE,
    Rate,
    SharedLimit,
)

PAGES_WAIT_S = 30.0
"""When to come back to a server whose pages are all taken."""
FLOOD_COST = 10.0
"""Connections that one closed for flooding counts for."""


@dataclass(frozen=True, slots=True)
class WebLimits:
    """Limits of the web chat; pairs are (visitor, source).

    Attributes:
        messages: Messages, pressed buttons, stars.
        chars: Characters of messages: 4,000 of them take 15 ms to read, as much as forty questions.
        frames: Frames of any kind; 8 kB count as one more.
        reads: Requests that read the database: older messages.
        typing: Hints that somebody types, passed on to the agents.
        connections: Sockets opened.
        visits: Tokens asked for; there is no visitor yet.
        uploads: Files sent.
        pages_per_visitor: Open sockets.
        pages_per_source: Open sockets.
        pages: Open sockets in all.
        uploads_at_once: Files of one visitor on their way.
        all_uploads_at_once: Files on their way: each may hold as much memory as a file has.
    """

    messages: tuple[Rate, Rate] = (Rate(30, 1), Rate(100, 10))
    chars: tuple[Rate, Rate] = (Rate(12_000, 400), Rate(16_000, 4_000))
    frames: tuple[Rate, Rate] = (Rate(100, 15), Rate(200, 60))
    reads: tuple[Rate, Rate] = (Rate(20, 2), Rate(60, 6))
    typing: tuple[Rate, Rate] = (Rate(1, 0.5), Rate(20, 5))
    connections: tuple[Rate, Rate] = (Rate(20, 0.5), Rate(60, 10))
    visits: Rate = Rate(100, 5)
    uploads: tuple[Rate, Rate] = (Rate(12, 0.2), Rate(40, 1))
    pages_per_visitor: int = 10
    pages_per_source: int = 200
    pages: int = 4000
    uploads_at_once: int = 2
    all_uploads_at_once: int = 8


class Admission:
    """Counts what visitors and their sources do.

    Every method gives seconds to wait, 0.0 for welcome.

    Args:
        now_s: Monotonic.
    """

    def __init__(
        self, limits: WebLimits | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        limits = limits or WebLimits()
        self._limits = limits
        self._now_s = now_s
        self._messages = _shared(limits.messages)
        self._chars = _shared(limits.chars)
        self._frames = _shared(limits.frames)
        self._reads = _shared(limits.reads)
        self._typing = _shared(limits.typing)
        self._connections = _shared(limits.connections)
        self._visits = _shared((limits.visits, limits.visits))
        self._uploads = _shared(limits.uploads)
        self._pages: Counter[str] = Counter()
        self._all_pages = 0
        self._uploading: Counter[str] = Counter()
        self._all_uploading = 0

    @property
    def uploading(self) -> int:
        """Files on their way now."""
        return self._all_uploading

    def visit(self, sources: Sequence[str]) -> float:
        """A browser asks for a token."""
        return self._visits.wait_s(None, sources, self._now_s())

    def frame(self, visitor: str, sources: Sequence[str], size: int) -> float:
        """A frame came; nothing of it was looked at yet."""
        return self._frames.wait_s(visitor, sources, self._now_s(), 1.0 + size // 8192)

    def message(self, visitor: str, sources: Sequence[str], chars: int = 0) -> float:
        """A frame is to be stored, with a text of so many characters."""
        now_s = self._now_s()
        wait_s = self._chars.wait_s(visitor, sources, now_s, chars) if chars else 0.0
        return wait_s or self._messages.wait_s(visitor, sources, now_s)

    def read(self, visitor: str, sources: Sequence[str]) -> float:
        """A frame asks for something that must be looked up."""
        return self._reads.wait_s(visitor, sources, self._now_s())

    def typing(self, visitor: str, sources: Sequence[str]) -> float:
        """Somebody types; what is not welcome need not be passed on."""
        return self._typing.wait_s(visitor, sources, self._now_s())

    def flooded(self, visitor: str, sources: Sequence[str]) -> None:
        """A page was closed for flooding: its next connections come dearer."""
        self._connections.charge(visitor, sources, self._now_s(), FLOOD_COST)

    def connect(self, visitor: str | None, sources: Sequence[str]) -> float:
        """A socket is to be opened, by nobody where its token is not ours."""
        return self._connections.wait_s(visitor, sources, self._now_s())

    def open_page(self, visitor: str, sources: Sequence[str]) -> float:
        """A page connects; where it is welcome it is counted until ``close_page``."""
        if self._all_pages >= self._limits.pages or any(
            self._pages[key] >= self._most_pages(key) for key in _keys(visitor, sources)
        ):
            return PAGES_WAIT_S
        self._pages.update(_keys(visitor, sources))
        self._all_pages += 1
        return 0.0

    def close_page(self, visitor: str, sources: Sequence[str]) -> None:
        """A page that was welcome is gone."""
        _give_back(self._pages, _keys(visitor, sources))
        self._all_pages -= 1

    def start_upload(self, visitor: str, sources: Sequence[str]) -> float:
        """A file comes; where it is welcome it is counted until ``end_upload``."""
        if (
            self._all_uploading >= self._limits.all_uploads_at_once
            or self._uploading[visitor] >= self._limits.uploads_at_once
            # one source never has more than half of the places
            or any(self._uploading[key] >= self._limits.all_uploads_at_once // 2 for key in sources)
        ):
            return 1.0
        wait_s = self._uploads.wait_s(visitor, sources, self._now_s())
        if wait_s == 0:
            self._uploading.update((visitor, *sources))
            self._all_uploading += 1
        return wait_s

    def end_upload(self, visitor: str, sources: Sequence[str]) -> None:
        """A file that was welcome is here, or was given up."""
        _give_back(self._uploading, (visitor, *sources))
        self._all_uploading -= 1

    def _most_pages(self, key: str) -> float:
        if key.startswith("visitor:"):
            return self._limits.pages_per_visitor
        return self._limits.pages_per_source * (WIDE_SHARE if key.startswith(WIDE) else 1)


def _shared(rates: tuple[Rate, Rate]) -> SharedLimit:
    return SharedLimit(visitor=rates[0], source=rates[1])


def _keys(visitor: str, sources: Sequence[str]) -> tuple[str, ...]:
    return (f"visitor:{visitor}", *sources)


def _give_back(counts: Counter[str], keys: Sequence[str]) -> None:
    for key in keys:
        counts[key] -= 1
        if counts[key] <= 0:
            del counts[key]


__all__ = ["Admission", "WebLimits"]
