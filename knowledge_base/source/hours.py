"""Opening hours, when people answer: as an admin writes them, weekly and on holidays."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY_MIN = 24 * 60
_WEEKDAYS = {
    **{name: day for day, name in enumerate("一二三四五六日")},
    "天": 6,
    **{name: day for day, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
}
_EVERY_DAY = ("每天", "每日", "天天", "全周", "daily", "every day")
_WORKDAYS = ("工作日", "weekdays")
_WEEKEND = ("周末", "weekend", "weekends")
_CLOSED = ("休息", "休", "关闭", "不营业", "放假", "closed")
_ALL_DAY = ("24小时", "全天", "24h", "24/7", "24 hours")
_TIMES = re.compile(r"(\d{1,2})[:.](\d{2})\s*(?:-|~|至|到|to)\s*(\d{1,2})[:.](\d{2})")
_DAY = r"(?:周|星期|礼拜)?([一二三四五六日天]|mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_DAYS = re.compile(rf"{_DAY}\s*(?:(?:-|~|至|到|to)\s*{_DAY})?")
# Days, then times; times without a day belong to the days before them.
_GROUP = re.compile(
    r"(\D*?)\s*(\d{1,2}[:.]\d{2}.+?\d{1,2}[:.]\d{2}|24/7|24\s*h\w*|24\s*小时|全天|休息|closed)"
)
_DATES = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})(?:\s*(?:\.\.|~|至|到)\s*(\d{4}-\d{1,2}-\d{1,2}))?")
_LONGEST_HOLIDAY = timedelta(days=120)
_LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes after local midnight of the day it starts on; ``end`` may lie in the next day.

    Attributes:
        start_min: In [0, 1440).
        end_min: In (start_min, start_min + 1440].
    """

    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A week of opening hours in the shop's own time zone, with exceptions by date.

    Attributes:
        zone: The shop's time zone.
        weekly: Seven tuples of spans, Monday first; an empty one is a day off.
        holidays: Spans of particular dates, which replace that weekday's.
        text: As the admin wrote it, to be read by customers.
    """

    zone: ZoneInfo
    weekly: tuple[tuple[Span, ...], ...]
    holidays: Mapping[date, tuple[Span, ...]]
    text: str

    def is_open(self, at: datetime) -> bool:
        """Tell whether somebody is there at this moment (aware, any zone)."""
        return any(start <= at < end for start, end in self._around(at, days_ahead=0))

    def next_opening(self, at: datetime) -> datetime | None:
        """Return the next opening, in UTC: ``at`` itself if it is open, ``None`` if never.

        "Never" means not within 400 days.
        """
        if self.is_open(at):
            return at.astimezone(UTC)
        # day by day: nearly always the first or second day has it, and a turn at night asks this
        for days in range(-1, _LOOK_AHEAD_DAYS + 1):
            later = [start for start, _ in self._openings(at, days) if start > at]
            if later:
                return min(later)
        return None

    def closes_at(self, at: datetime) -> datetime | None:
        """Return the end of the present opening, in UTC; ``None`` while closed or if it never ends.

        Spans that touch (``00:00-24:00`` day after day) count as one opening.
        """
        end: datetime | None = None
        for start, stop in self._around(at, _LOOK_AHEAD_DAYS):
            if end is None and start <= at < stop:
                end = stop
            elif end is not None and start <= end:
                end = max(end, stop)
            elif end is not None:
                return end
        return None if end is None or end - at > timedelta(days=_LOOK_AHEAD_DAYS - 2) else end

    def _around(self, at: datetime, days_ahead: int) -> list[tuple[datetime, datetime]]:
        """Openings as UTC pairs from the day before ``at`` (it may cross midnight), sorted."""
        return sorted(
            opening for days in range(-1, days_ahead + 1) for opening in self._openings(at, days)
        )

    def _openings(self, at: datetime, days: int) -> list[tuple[datetime, datetime]]:
        """Openings that begin so many days after the day of ``at``, as UTC pairs."""
        day = at.astimezone(self.zone).date() + timedelta(days=days)
        return [
            (self._moment(day, span.start_min), self._moment(day, span.end_min))
            for span in self.holidays.get(day, self.weekly[day.weekday()])
        ]

    def _moment(self, day: date, minute: int) -> datetime:
        """Return a wall-clock minute in UTC: 09:00 stays 09:00 when summer time begins."""
        day += timedelta(days=minute // _DAY_MIN)
        local = datetime.combine(day, time(minute % _DAY_MIN // 60, minute % 60), self.zone)
        return local.astimezone(UTC)


def parse_hours(text: str, zone: ZoneInfo, holidays: Mapping[str, str]) -> OpeningHours:
    """Read opening hours as people write them.

    >>> hours = parse_hours("周一至周五 10:00-19:00, 周六 10:00-18:00", ZoneInfo("UTC"), {})
    >>> [len(day) for day in hours.weekly]
    [1, 1, 1, 1, 1, 1, 0]

    Args:
        text: ``每天 09:00-23:00``, ``24小时``, ``Mon-Fri 10:00-19:00``; ``18:00-02:00`` crosses
            midnight; groups are separated by commas, semicolons or white space.
        zone: The shop's time zone.
        holidays: ``2026-10-01`` or ``2026-10-01..2026-10-07`` → ``休息`` or times.

    Raises:
        ValueError: With the part that was not understood, and an example that would be.
    """
    weekly: list[tuple[Span, ...]] = [()] * 7
    for days, spans in _groups(text):
        for day in days:
            weekly[day] = (*weekly[day], *spans)
    exceptions: dict[date, tuple[Span, ...]] = {}
    for dates, what in holidays.items():
        spans = () if _folded(what) in _CLOSED else _spans(_folded(what))
        exceptions.update(dict.fromkeys(_dates(dates), spans))
    return OpeningHours(zone=zone, weekly=tuple(weekly), holidays=exceptions, text=text.strip())


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    return re.sub(r"[–—−]", "-", folded)


def _groups(text: str) -> list[tuple[list[int], tuple[Span, ...]]]:
    folded = _folded(text)
    pieces = _GROUP.findall(folded)
    if not pieces:
        raise ValueError(_not_understood(text))
    groups: list[tuple[list[int], tuple[Span, ...]]] = []
    for days_text, times_text in pieces:
        cleaned = days_text.strip(" ,;、，；/和and及:")
        days = _days(cleaned, text) if cleaned else (groups[-1][0] if groups else list(range(7)))
        spans = () if times_text in _CLOSED else _spans(times_text)
        groups.append((days, spans))
    rest = re.sub(r"[\s,;、。./]", "", folded)
    used = re.sub(r"[\s,;、。./]", "", "".join(days + times for days, times in pieces))
    if rest != used:
        raise ValueError(_not_understood(text))
    return groups


def _days(words: str, text: str) -> list[int]:
    if words in _EVERY_DAY:
        return list(range(7))
    if words in _WORKDAYS:
        return list(range(5))
    if words in _WEEKEND:
        return [5, 6]
    days: list[int] = []
    for part in re.split(r"[,、;\s]+", re.sub(r"\s*(-|~|至|到|to)\s*", r"\1", words)):
        match = _DAYS.fullmatch(part)
        if match is None:
            raise ValueError(_not_understood(text))
        first = _WEEKDAYS[match[1]]
        last = _WEEKDAYS[match[2]] if match[2] else first
        days.extend((first + n) % 7 for n in range((last - first) % 7 + 1))
    return days


def _spans(words: str) -> tuple[Span, ...]:
    if words.replace(" ", "") in [word.replace(" ", "") for word in _ALL_DAY]:
        return (Span(0, _DAY_MIN),)
    spans = []
    for match in _TIMES.finditer(words):
        start = _minute(int(match[1]), int(match[2]), words)
        end = _minute(int(match[3]), int(match[4]), words)
        if start == _DAY_MIN:
            raise ValueError(_not_understood(words))
        spans.append(Span(start, end if end > start else end + _DAY_MIN))
    if not spans:
        raise ValueError(_not_understood(words))
    return tuple(spans)


def _minute(hour: int, minute: int, words: str) -> int:
    at = hour * 60 + minute
    if minute > 59 or at > _DAY_MIN:  # noqa: PLR2004  59 minutes: the clock says so
        raise ValueError(_not_understood(words))
    return at


def _dates(text: str) -> list[date]:
    match = _DATES.fullmatch(_folded(text))
    try:
        first = _date(match[1]) if match else None
        last = _date(match[2]) if match and match[2] else first
    except ValueError:
        first = last = None
    if first is None or last is None or not first <= last <= first + _LONGEST_HOLIDAY:
        raise ValueError(f"看不懂日期 {text!r} (holiday); 例: 2026-10-01..2026-10-07: 休息")
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _date(text: str) -> date:
    year, month, day = (int(part) for part in text.split("-"))
    return date(year, month, day)


def _not_understood(text: str) -> str:
    return (
        f"看不懂营业时间 {text!r} (opening hours); "
        "例: 每天 09:00-23:00 / 周一至周五 10:00-19:00, 周六 10:00-18:00 / 24小时"
    )
