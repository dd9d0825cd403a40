"""The knowledge base in use: loaded at start, swapped whole when its files change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from knowledge_base.errors import FitFailed, KnowledgeBaseError
from knowledge_base.recognition.loader import (
    KnowledgeBase,
    fingerprint,
    load,
    load_on_old_fit,
)
from knowledge_base.source.tool_spec import ToolSpec

log = structlog.get_logger(__name__)

POLL_S = 0.4
"""How often the files are looked at; a stat of each costs microseconds."""


@dataclass(frozen=True, slots=True)
class KnowledgeStatus:
    """How the knowledge base stands, for the console.

    Attributes:
        problem: Why the newest change of the files is not in use; ``None`` if it is.
    """

    loaded_at: datetime
    intents: int
    phrases: int
    problem: str | None = None


class Knowledge:
    """Holds the knowledge base in use.

    Attributes:
        prepare: Awaited with a new knowledge base before it is in use.

    Args:
        on_change: Told after each reload and each failed one.
    """

    def __init__(
        self,
        path: Path,
        *,
        tools: Mapping[str, ToolSpec],
        cache_dir: Path | None,
        clock: Callable[[], datetime],
        on_change: Callable[[KnowledgeStatus], None] = lambda _status: None,
    ) -> None:
        self._path = path
        self._tools = tools
        self._cache_dir = cache_dir
        self._clock = clock
        self.on_change = on_change
        self.prepare: Callable[[KnowledgeBase], Awaitable[None]] = _nothing_to_prepare
        self.current = self._load()
        self._seen = fingerprint(self.current.files)
        self.status = self._status(None)

    def _load(self) -> KnowledgeBase:
        return load(
            self._path, tools=self._tools, cache_dir=self._cache_dir, progress=_log_progress
        )

    def _status(self, problem: str | None) -> KnowledgeStatus:
        return KnowledgeStatus(
            loaded_at=self._clock(),
            intents=len(self.current.intents),
            phrases=self.current.phrase_count,
            problem=problem,
        )

    async def watch(self) -> None:
        """Reload whenever a file changes, until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            await self.look()

    async def look(self) -> bool:
        """Reload if a file changed since the last look; whether a new one is in use.

        What was written is in use at once, on the old fit; the new fit follows when it is ready.
        """
        seen = fingerprint(self.current.files)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            at_once = await asyncio.to_thread(
                load_on_old_fit, self._path, tools=self._tools, previous=self.current
            )
            if at_once is not None:
                await self.prepare(at_once)
                self.current = at_once
                log.info("kb_saved_in_use", intents=len(at_once.intents))
            loaded = await asyncio.to_thread(self._load)
            await self.prepare(loaded)
        except (KnowledgeBaseError, FitFailed, OSError) as error:
            # the old one keeps serving; the same words stand in the log and in the console
            self.status = self._status(str(error))
            log.error("kb_not_reloaded", problem=str(error))
            self.on_change(self.status)
            return False
        # a file that changed while this was fitted is seen at the next look
        self._seen = seen if loaded.files == self.current.files else fingerprint(loaded.files)
        self.current = loaded
        self.status = self._status(None)
        log.info("kb_reloaded", intents=self.status.intents, phrases=self.status.phrases)
        self.on_change(self.status)
        return True


async def _nothing_to_prepare(_kb: KnowledgeBase) -> None:
    """Where answers show no pictures."""


def _log_progress(step: str, done: float) -> None:
    log.debug("kb_fitting", step=step, done=f"{done:.0%}")
