"""Lines of a report: what, measured, and what was aimed at."""

from __future__ import annotations

from benchmarks.figures import Spread


def row(what: str, measured: str, beside: str = "") -> str:
    """One line."""
    return f"{what:<34}{measured:<28}{beside}".rstrip()


def aim(wanted: str, *, is_met: bool) -> str:
    """What was aimed at, and whether it was reached.

    >>> aim("≤ 3 s", is_met=False)
    'aim ≤ 3 s: short'
    """
    return f"aim {wanted}: {'ok' if is_met else 'short'}"


def ms(spread: Spread, *, digits: int = 1) -> str:
    """The middle and the slow end."""
    return f"p50 {spread.p50:.{digits}f}  p99 {spread.p99:.{digits}f} ms"
