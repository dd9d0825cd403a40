"""Limits on looking and trying: arithmetic over what was recorded, and nothing else.

Whoever asks has an exact source or two (the channel identity, a network address), which can be
locked, and a wide one (the network around the address, or all who write on that channel account),
which is shared with others: it is slowed, never locked. All strangers who try one order together
are slowed as well (``CrowdLimits``), or many sources would guess what one cannot.

Source: the limits are acg-faka's (30 look-ups in 10 min per source, 8 tries in 10 min per order and
    source); the lock is on the pair of order and source, since a lock on the order alone would let
    strangers lock its owner out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shop.domain.attempts import TRIES, Attempt, AttemptKind


@dataclass(frozen=True, slots=True)
class TryLimits:
    """How often a source may try its luck on one subject.

    Attributes:
        tries: In ``window_s`` seconds, successful ones included.
        failures: In ``lock_s`` seconds since the last success; then the pair is locked.
        lock_s: Seconds from the last failure.
    """

    tries: int = 8
    window_s: int = 600
    failures: int = 5
    lock_s: int = 1800


@dataclass(frozen=True, slots=True)
class CrowdLimits:
    """How often all strangers together may try their luck on one subject.

    Attributes:
        failures: In ``window_s`` seconds; from then on one try in ``spacing_s`` is looked at.
    """

    failures: int = 20
    window_s: int = 3600
    spacing_s: int = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of the gate.

    Attributes:
        lookups: Of one source in ``lookup_window_s`` seconds.
        wider: How many times as much a network around an address may do.
        crowd: How many times as much all may do who write on one channel account whose identities
            have no network address.
        order: Proofs for one order, of one source.
        order_crowd: Of all strangers.
        card: Pasted card secrets that we never sold, of one source.
        card_crowd: Of all strangers.
        codes: E-mailed codes in ``code_window_s`` seconds: of one source, and for one order.
        codes_of_owner: For one order, if whoever asks proved it before.
        mails_of_contact: Codes, and cards for whoever only knows the contact, to one mailbox.
        codes_of_all: By all together: a mail provider stops those who send too much.
    """

    lookups: int = 30
    lookup_window_s: int = 600
    wider: int = 8
    crowd: int = 40
    order: TryLimits = TryLimits()
    order_crowd: CrowdLimits = CrowdLimits()
    card: TryLimits = TryLimits(tries=30, failures=10)
    card_crowd: CrowdLimits = CrowdLimits(failures=200, spacing_s=5)
    codes: int = 5
    codes_of_owner: int = 8
    mails_of_contact: int = 8
    codes_of_all: int = 120
    code_window_s: int = 3600

    @property
    def lookback(self) -> timedelta:
        """How old an attempt can be and still count."""
        locks_s = max(self.order.lock_s, self.card.lock_s)
        crowds_s = max(self.order_crowd.window_s, self.card_crowd.window_s)
        windows_s = max(self.lookup_window_s, self.order.window_s, self.code_window_s, crowds_s)
        # a lock rests on failures that are themselves up to one lock's length apart
        return timedelta(seconds=max(2 * locks_s, windows_s))


ANYBODY = "*"
"""The source under which every stranger's try is recorded."""
_WIDE, _CROWD = "net:", "crowd:"


def crowd_of(identity: str) -> str:
    """The wide source of a channel identity that has no network address.

    >>> crowd_of("app:shop:u1")
    'crowd:app:shop'
    """
    return _CROWD + identity.rpartition(":")[0]


def breadth(source: str, limits: Limits) -> int:
    """How many times the limit of one line or account a source may use up; 1 for an exact one."""
    if source.startswith(_WIDE):
        return limits.wider
    return limits.crowd if source.startswith(_CROWD) else 1


class Ruling(StrEnum):
    """Whether somebody may go on."""

    ADMITTED = "admitted"
    THROTTLED = "throttled"
    LOCKED = "locked"


_SEVERITY = (Ruling.ADMITTED, Ruling.THROTTLED, Ruling.LOCKED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The ruling on one request.

    Attributes:
        retry_after_s: Seconds until trying again makes sense; 0 when admitted.
        is_last: Admitted, and if this try fails too the pair is locked.
    """

    ruling: Ruling
    retry_after_s: float = 0.0
    is_last: bool = False

    @property
    def is_admitted(self) -> bool:
        """Whether the request may go on."""
        return self.ruling is Ruling.ADMITTED

    @property
    def wait_s(self) -> float | None:
        """Seconds to wait; ``None`` when admitted."""
        return None if self.is_admitted else self.retry_after_s


ADMITTED = Verdict(Ruling.ADMITTED)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on somebody with several sources: each of them has to admit."""
    known = list(verdicts)
    hardest = max(known, key=lambda one: (_SEVERITY.index(one.ruling), one.retry_after_s))
    is_last = hardest.is_admitted and any(one.is_last for one in known)
    return Verdict(hardest.ruling, hardest.retry_after_s, is_last)


def judge_rate(times: Iterable[datetime], now: datetime, *, at_most: int, window_s: int) -> Verdict:
    """Whether one more fits into the window.

    Times in the future (the clock was set back) count as just now: a limit fails closed.
    """
    start = now - timedelta(seconds=window_s)
    recent = sorted(at for at in times if at > start)
    if len(recent) < at_most:
        return ADMITTED
    frees_at = recent[len(recent) - at_most] + timedelta(seconds=window_s)
    return Verdict(Ruling.THROTTLED, (frees_at - now).total_seconds())


def judge_wide(
    attempts: Sequence[Attempt], now: datetime, limits: TryLimits, times: int
) -> Verdict:
    """Tell whether a source that many share may try once more: it is slowed, never locked."""
    rate = judge_rate(
        (one.at for one in attempts if one.kind in TRIES),
        now,
        at_most=limits.tries * times,
        window_s=limits.window_s,
    )
    failures = judge_rate(
        (one.at for one in attempts if one.kind is AttemptKind.TRY),
        now,
        at_most=limits.failures * times,
        window_s=limits.lock_s,
    )
    return worst((rate, failures))


def judge_crowd(attempts: Sequence[Attempt], now: datetime, limits: CrowdLimits) -> Verdict:
    """Tell whether one more stranger may try, after everybody's tries on this subject."""
    tries = sorted((one for one in attempts if one.kind in TRIES), key=lambda one: one.at)
    start = now - timedelta(seconds=limits.window_s)
    failures = sum(one.kind is AttemptKind.TRY and one.at > start for one in tries)
    if failures < limits.failures:
        return ADMITTED
    wait_s = (tries[-1].at - now).total_seconds() + limits.spacing_s
    return Verdict(Ruling.THROTTLED, wait_s) if wait_s > 0 else ADMITTED


def judge_try(attempts: Sequence[Attempt], now: datetime, limits: TryLimits) -> Verdict:
    """Whether this source may try once more on this subject.

    Args:
        attempts: Everything recorded of the pair in the last two lock lengths.
    """
    tries = sorted((one for one in attempts if one.kind in TRIES), key=lambda one: one.at)
    failures = _failures_since_success(tries)
    lock = timedelta(seconds=limits.lock_s)
    locked_until = _locked_until(failures, limits.failures, lock)
    if locked_until is not None and locked_until > now:
        return Verdict(Ruling.LOCKED, (locked_until - now).total_seconds())
    rate = judge_rate(
        (one.at for one in tries), now, at_most=limits.tries, window_s=limits.window_s
    )
    if not rate.is_admitted:
        return rate
    if locked_until is not None:  # served: what led to it does not count again
        return Verdict(Ruling.ADMITTED, is_last=limits.failures == 1)
    recent = [at for at in failures if at > now - lock]
    return Verdict(Ruling.ADMITTED, is_last=len(recent) + 1 >= limits.failures)


def _failures_since_success(tries: Sequence[Attempt]) -> list[datetime]:
    failures: list[datetime] = []
    for one in tries:
        if one.kind is AttemptKind.PROVED:
            failures.clear()
        elif one.kind is AttemptKind.TRY:
            failures.append(one.at)
    return failures


def _locked_until(failures: Sequence[datetime], at_most: int, lock: timedelta) -> datetime | None:
    """When the last lock ends or ended; ``None`` if there was none."""
    until: datetime | None = None
    run: list[datetime] = []
    for at in failures:
        run = [earlier for earlier in run if earlier > at - lock]
        run.append(at)
        if len(run) >= at_most:
            until = at + lock
            run = []  # what led to this lock does not lead to another one
    return until
