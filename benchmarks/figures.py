"""What was measured, as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all is not above (nearest rank).

    Args:
        values: In any order, at least one.
        share: In (0, 1].

    >>> percentile([4, 1, 3, 2], 0.5)
    2
    """
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(rank) - 1)]


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds: the middle, the slow end, the slowest."""

    p50: float
    p99: float
    max: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """The spread of what was measured in seconds; zeros if nothing was."""
        if not seconds:
            return cls(0.0, 0.0, 0.0)
        return cls(
            p50=percentile(seconds, 0.5) * 1000,
            p99=percentile(seconds, 0.99) * 1000,
            max=max(seconds) * 1000,
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What one customer message costs, in milliseconds of CPU unless said otherwise.

    Attributes:
        loop: On the server's main thread: sockets, protocol, recognition, deciding.
        writer: On the busiest other thread: SQLite's writer.
        readers: On all remaining threads together.
        kernel: Part of the server's whole that was spent in system calls.
        written_kb: Kilobytes that reached the disk.
        client: In the process that makes the load; no part of the product.
    """

    loop: float
    writer: float
    readers: float
    kernel: float
    written_kb: float
    client: float

    @property
    def server(self) -> float:
        """All of the server."""
        return self.loop + self.writer + self.readers


@dataclass(frozen=True, slots=True)
class Load:
    """One run under load.

    Attributes:
        rate_per_s: Intended arrivals a second; ``None`` where each answer calls the next message.
        duration_s: From the first message to the last answer.
        answered: Messages that were acknowledged and answered.
        lost: Messages without an answer within the deadline.
        waited: Messages after which the bot waited for more; must be 0 here.
        handed_over: Conversations that left the bot; their visitors were replaced.
        ack: From the intended moment to the acknowledgement (stored).
        reply: From the intended moment to the first line of the answer.
    """

    rate_per_s: float | None
    duration_s: float
    answered: int
    lost: int
    waited: int
    handed_over: int
    ack: Spread
    reply: Spread
    cost: Cost

    @property
    def per_s(self) -> float:
        """Messages answered a second."""
        return self.answered / self.duration_s if self.duration_s else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What the running product did.

    Attributes:
        cold_start_s: From starting the command to /readyz with an empty data folder: tables,
            keys, demo shop and recognition are made first.
        warm_start_s: The same on the data that the first start left.
        fragment: Time to an answer where the rest of a sentence is waited for, by setting 800 ms.
        memory_start_mb: Resident after a warm start.
        memory_load_mb: Resident after all load.
        memory_peak_mb: The most that was ever resident.
    """

    at: str
    machine: str
    command: str
    cold_start_s: float
    warm_start_s: float
    throughput: Load
    paced: tuple[Load, ...]
    fragment: Spread
    memory_start_mb: float
    memory_load_mb: float
    memory_peak_mb: float
