"""What to do after a send that failed: wait, or give up. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from connectors.errors import (
    AuthError,
    Fatal,
    RateLimited,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from connectors.kit.backoff import Backoff

MAX_ATTEMPTS = 8
RETRY = Backoff(first_s=1.0, longest_s=300.0)
LONGEST_WAIT_S = 3600.0
"""However long a platform asks for: then it is asked again."""
REFUSED_PAUSE = timedelta(seconds=60)


class Pause(Enum):
    """Lanes that wait beside the message's own."""

    NOBODY = auto()
    IF_MANY = auto()
    """The account, where several of its lanes were refused within a short time."""
    ACCOUNT = auto()


@dataclass(frozen=True, slots=True)
class Wait:
    """A message must wait, and those behind it with it.

    Attributes:
        until: ``None``: until the customer writes again.
        closes_window: The platform says so, whatever we counted.
        is_fault: An attempt failed; they are numbered, and end.
    """

    until: datetime | None
    error: str
    closes_window: bool = False
    is_fault: bool = False
    pause: Pause = Pause.NOBODY


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A message is not tried again.

    Attributes:
        is_unknown: It may have arrived all the same.
        is_unreachable: The customer is: whatever waits for them is given up as well.
    """

    error: str
    is_unknown: bool = False
    is_unreachable: bool = False


def retry_delay_s(attempt: int, spread: float) -> float:
    """Return how long to wait after a failed attempt: 1 s doubled each time, 5 min at most.

    Args:
        attempt: Which attempt failed, from 1.
        spread: A random number in [0, 1): delays of many messages must not fall together.

    Returns:
        Seconds, between half of the step and the whole step.
    """
    return RETRY.pause_s(attempt, spread)


def is_over(until: datetime, now: datetime) -> bool:
    """Return whether a wait has ended; one longer than there are was made by a faster clock."""
    return not now < until <= now + timedelta(seconds=LONGEST_WAIT_S)


def after_error(
    error: Exception, *, attempts: int, may_repeat: bool, now: datetime, spread: float
) -> Wait | GiveUp:
    """Decide on a message whose sending raised an error.

    Args:
        attempts: Which attempt failed, from 1.
        may_repeat: Sending the same once more shows once (``Capabilities.send_idempotent``).
        spread: A random number in [0, 1).
    """
    match error:
        case RateLimited():
            until = now + timedelta(seconds=min(error.retry_after_s, LONGEST_WAIT_S))
            pause = Pause.ACCOUNT if error.is_account else Pause.IF_MANY
            return Wait(until, error.code, pause=pause)
        case WindowClosed():
            return Wait(None, str(error), closes_window=True)
        case Undeliverable():
            return GiveUp(str(error), is_unreachable=True)
        case AuthError() | Fatal():
            # credentials or configuration are wrong: the account waits for a person, a few times
            if attempts >= MAX_ATTEMPTS:
                return GiveUp(str(error))
            return Wait(now + REFUSED_PAUSE, error.code, is_fault=True, pause=Pause.ACCOUNT)
        case _:
            return _after_fault(_fault(error), attempts, now, spread, may_repeat=may_repeat)


def _fault(error: Exception) -> SendError:
    if isinstance(error, SendError):
        return error
    if isinstance(error, TimeoutError):
        return Retryable("timeout", "no answer", maybe_sent=True)
    # a connector's bug counts as an attempt too, or it would be met again for ever
    return Retryable(type(error).__name__, "a bug", maybe_sent=True)


def _after_fault(
    error: SendError, attempts: int, now: datetime, spread: float, *, may_repeat: bool
) -> Wait | GiveUp:
    is_passing = isinstance(error, Retryable) and (may_repeat or not error.maybe_sent)
    if not is_passing or attempts >= MAX_ATTEMPTS:
        return GiveUp(str(error), is_unknown=error.maybe_sent)
    delay_s = retry_delay_s(attempts, spread)
    return Wait(now + timedelta(seconds=delay_s), error.code, is_fault=True)
