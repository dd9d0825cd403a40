"""The knowledge base in use: loaded at start, swapped whole when its files change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from knowledge_base.errors import FitFailed, KnowledgeBaseError
from knowledge_base.recognition.loader import (
    KnowledgeBase,
    fingerprint,
    load,
    reload,
)
from knowledge_base.source.tool_spec import ToolSpec

log = structlog.get_logger(__name__)

POLL_S = 0.4
"""How often the files are looked at; a stat of each costs microseconds."""


async def _nothing_to_prepare(_kb: KnowledgeBase) -> None:
    """Do nothing: answers that show no pictures are ready."""


@dataclass(frozen=True, slots=True)
class KnowledgeStatus:
    """State of the knowledge base, for the console.

    Attributes:
        problem: Why the newest change of the files is not in use; ``None`` if it is.
    """

    loaded_at: datetime
    intents: int
    phrases: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class KnowledgeFiles:
    """The files of a knowledge base.

    Attributes:
        cache_dir: Keeps fits; ``None``: every load fits anew.
    """

    path: Path
    tools: Mapping[str, ToolSpec]
    cache_dir: Path | None

    def load(self) -> KnowledgeBase:
        """Read the files, and fit them unless the fit is in the cache. Blocking."""
        return load(self.path, tools=self.tools, cache_dir=self.cache_dir, progress=_log_progress)

    def reload(self, previous: KnowledgeBase) -> Iterator[KnowledgeBase]:
        """Read the files anew, and give what can serve already, the best last. Blocking."""
        return reload(
            self.path,
            tools=self.tools,
            cache_dir=self.cache_dir,
            previous=previous,
            progress=_log_progress,
        )


class Knowledge:
    """Holds the knowledge base in use.

    Attributes:
        current: The one in use; begins as the given one.

    Args:
        prepare: Awaited with a new knowledge base before it is in use.
    """

    def __init__(
        self,
        files: KnowledgeFiles,
        current: KnowledgeBase,
        *,
        clock: Callable[[], datetime],
        prepare: Callable[[KnowledgeBase], Awaitable[None]] = _nothing_to_prepare,
    ) -> None:
        self._files = files
        self._clock = clock
        self._prepare = prepare
        self.current = current
        self._seen = fingerprint(self.current.files)
        self.status = self._status(None)

    def _status(self, problem: str | None) -> KnowledgeStatus:
        return KnowledgeStatus(
            loaded_at=self._clock(),
            intents=len(self.current.intents),
            phrases=self.current.phrase_count,
            problem=problem,
        )

    async def watch(self, on_change: Callable[[KnowledgeStatus], None]) -> None:
        """Reload whenever a file changes, until cancelled.

        Args:
            on_change: Called after each reload and each failed one.
        """
        while True:
            await asyncio.sleep(POLL_S)
            before = self.status
            await self.look()
            if self.status is not before:
                on_change(self.status)

    async def look(self) -> bool:
        """Reload if a file changed since the last look, and return whether a new one is in use.

        What was written is in use at once, on the old fit; a new one follows within seconds, and
        calibrated a little later (``reload``).
        """
        seen = fingerprint(self.current.files)
        if seen == self._seen:
            return False
        self._seen, files = seen, self.current.files
        try:
            stages = self._files.reload(self.current)
            while (loaded := await asyncio.to_thread(next, stages, None)) is not None:
                await self._prepare(loaded)
                self.current = loaded
                log.info("kb_saved_in_use", intents=len(loaded.intents))
        except (KnowledgeBaseError, FitFailed, OSError) as error:
            # the old one keeps serving; the same words stand in the log and in the console
            self.status = self._status(str(error))
            log.error("kb_not_reloaded", problem=str(error))
            return False
        # a file that changed while this was fitted is seen at the next look
        if self.current.files != files:
            self._seen = fingerprint(self.current.files)
        self.status = self._status(None)
        log.info("kb_reloaded", intents=self.status.intents, phrases=self.status.phrases)
        return True


def _log_progress(step: str, done: float) -> None:
    log.debug("kb_fitting", step=step, done=f"{done:.0%}")
