"""Passing on what each commit leaves to do."""

from __future__ import annotations

from collections.abc import Callable

from storage.core.after_commit import AfterCommit

Listener = Callable[[AfterCommit], None]


class CommitListeners:
    """Calls its listeners after each commit, in commit order, on the event loop.

    Storage takes it when it is opened. Whoever sends, fetches or shows what was committed needs
    storage to be made, and subscribes then.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Call this listener after each commit from now on; it returns at once."""
        self._listeners.append(listener)

    def __call__(self, committed: AfterCommit) -> None:
        """Pass on what a commit leaves to do."""
        for listener in self._listeners:
            listener(committed)
