"""Values as sentences to customers hold them: times, money, stock."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

_MINUTE_S, _HOUR_S = 60, 3600


def time(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a time to the minute; empty for none."""
    return at.astimezone(zone).strftime("%m月%d日 %H:%M") if at is not None else ""


def date(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a date; empty for none."""
    return at.astimezone(zone).strftime("%Y年%m月%d日") if at is not None else ""


def yuan(fen: int | None) -> str:
    """Return an amount of money; empty for none."""
    return "" if fen is None else f"{fen / 100:.2f} 元"


def duration(seconds: int, *, is_english: bool = False) -> str:
    """Return a promise as people say it.

    >>> duration(10), duration(1800), duration(7200, is_english=True)
    ('10 秒', '30 分钟', '2 hours')
    """
    units = ("seconds", "minutes", "hours") if is_english else ("秒", "分钟", "小时")
    if seconds < _MINUTE_S:
        return f"{seconds} {units[0]}"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S} {units[1]}"
    return f"{seconds / _HOUR_S:g} {units[2]}"


def price(amount: Decimal) -> str:
    """Return a price in yuan without needless zeros.

    >>> price(Decimal("48.80"))
    '48.8'
    """
    return f"{amount.normalize():f}"


def stock(pieces: int | None) -> str:
    """Return how much there is; ``None``: more than is counted."""
    if pieces is None:
        return "有货"
    return f"{pieces} 件" if pieces else "缺货"


def product_line(name: str, amount: Decimal, pieces: int | None) -> str:
    """Return a product as a line of a list."""
    return f"· {name}  {price(amount)} 元（{stock(pieces)}）"
