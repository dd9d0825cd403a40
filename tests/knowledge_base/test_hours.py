from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from knowledge_base.source.hours import OpeningHours, parse_hours

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def hours(text: str) -> OpeningHours:
    return parse_hours(text, SHANGHAI, {})


def test_a_shop_is_open_from_its_first_minute_until_its_last() -> None:
    daily = hours("每天 09:00-23:00")
    assert not daily.is_open(at("2026-11-23T08:59:59"))
    assert daily.is_open(at("2026-11-23T09:00"))
    assert daily.is_open(at("2026-11-23T22:59:59"))
    assert not daily.is_open(at("2026-11-23T23:00"))


def test_the_time_zone_is_the_shops_not_the_callers() -> None:
    assert hours("每天 09:00-23:00").is_open(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))


def test_days_of_the_week_have_their_own_hours() -> None:
    weekly = hours("周一至周五 10:00-19:00, 周六 10:00-18:00")
    assert weekly.is_open(at("2026-11-23T18:30"))  # a Monday
    assert not weekly.is_open(at("2026-11-28T18:30"))
    assert not weekly.is_open(at("2026-11-29T12:00"))
    assert weekly.next_opening(at("2026-11-28T18:30")) == at("2026-11-30T10:00")


def test_hours_that_cross_midnight_belong_to_the_day_they_start_on() -> None:
    late = hours("周五 18:00-02:00")
    assert late.is_open(at("2026-11-28T01:59"))  # Saturday, early
    assert not late.is_open(at("2026-11-29T01:59"))
    assert late.closes_at(at("2026-11-27T20:00")) == at("2026-11-28T02:00")


def test_a_holiday_replaces_the_usual_hours() -> None:
    daily = parse_hours(
        "每天 09:00-23:00",
        SHANGHAI,
        {"2026-10-01..2026-10-07": "休息", "2026-10-08": "10:00-18:00"},
    )
    assert not daily.is_open(at("2026-10-03T12:00"))
    assert daily.next_opening(at("2026-10-03T12:00")) == at("2026-10-08T10:00")
    assert not daily.is_open(at("2026-10-08T19:00"))


def test_an_open_shop_opens_now_and_a_closed_one_never() -> None:
    assert hours("24小时").next_opening(at("2026-11-23T03:00")) == at("2026-11-23T03:00")
    assert hours("每天 休息").next_opening(at("2026-11-23T03:00")) is None
    assert hours("24小时").closes_at(at("2026-11-23T03:00")) is None


@pytest.mark.parametrize(
    ("text", "open_days"),
    [
        ("每天 09:00-23:00", 7),
        ("周一到周五 9:00-12:00, 13:00-18:00", 5),
        ("工作日 9:00～18:00，周末休息", 5),
        ("周六、周日 10:00-18:00", 2),
        ("周六至周一 10:00-18:00", 3),
        ("Mon-Fri 10:00-19:00; Sat 10:00-12:00", 6),
        ("10:00-22:00", 7),
        ("每天24小时", 7),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, open_days: int) -> None:
    assert sum(bool(day) for day in hours(text).weekly) == open_days


@pytest.mark.parametrize("text", ["", "随时", "每天 9点到10点", "25:00-26:00", "周八 10:00-12:00"])
def test_hours_nobody_understands_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="例"):
        hours(text)


@pytest.mark.parametrize("dates", ["10-01", "2026-13-01", "2026-10-07..2026-10-01"])
def test_dates_nobody_understands_are_refused(dates: str) -> None:
    with pytest.raises(ValueError, match="2026-10-01"):
        parse_hours("24小时", SHANGHAI, {dates: "休息"})


def test_wall_clock_times_hold_when_summer_time_begins() -> None:
    berlin = parse_hours("每天 09:00-17:00", ZoneInfo("Europe/Berlin"), {})
    assert berlin.is_open(datetime(2026, 3, 29, 7, 30, tzinfo=UTC))  # 09:30 summer time
    assert not berlin.is_open(datetime(2026, 3, 28, 7, 30, tzinfo=UTC))  # 08:30 the day before
