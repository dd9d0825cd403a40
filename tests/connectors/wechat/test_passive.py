"""Answers inside pushes; times are real but short, for it is the platform that counts them."""

from __future__ import annotations

import asyncio

import pytest

from connectors.errors import WindowClosed
from connectors.wechat.passive import MORE, Desk, PassiveOptions

QUICK = PassiveOptions(
    deliveries=3,
    platform_timeout_s=0.1,
    answer_within_s=0.08,
    gather_s=0.02,
    max_text_bytes=100,
    waiting_text="稍等",
)
PATIENT = PassiveOptions(gather_s=0.01)


async def push(desk: Desk, key: str = "m:1", openid: str = "oAlice") -> str | None:
    with desk.holding(openid):
        return await desk.answer(openid, key)


async def holding(desk: Desk, key: str = "m:1") -> asyncio.Task[str | None]:
    task = asyncio.create_task(push(desk, key))
    await asyncio.sleep(0)
    return task


async def test_an_answer_in_time_goes_out_at_once() -> None:
    desk = Desk(PATIENT)
    task = await holding(desk)
    await desk.put("oAlice", "在的")
    assert await task == "在的"


async def test_a_late_answer_goes_out_by_the_next_delivery() -> None:
    desk = Desk(QUICK)
    assert await push(desk) is None
    putting = asyncio.create_task(desk.put("oAlice", "在的"))
    await asyncio.sleep(0)
    assert await push(desk) == "在的"
    await putting


async def test_after_the_last_delivery_the_customer_reads_how_to_fetch_it() -> None:
    desk = Desk(QUICK)
    assert [await push(desk) for _ in range(3)] == [None, None, "稍等"]
    with pytest.raises(WindowClosed):
        await desk.put("oAlice", "在的")


async def test_without_a_push_nothing_can_be_said() -> None:
    with pytest.raises(WindowClosed) as refused:
        await Desk(QUICK).put("oAlice", "在的")
    assert not refused.value.maybe_sent


async def test_an_answer_for_one_customer_is_not_given_to_another() -> None:
    desk = Desk(QUICK)
    task = await holding(desk)
    with pytest.raises(WindowClosed):
        await desk.put("oBob", "您的卡密")
    assert await task is None


async def test_a_delivery_that_does_not_come_gives_the_answer_back() -> None:
    desk = Desk(QUICK)
    assert await push(desk) is None
    with pytest.raises(WindowClosed):
        await desk.put("oAlice", "在的")


async def test_several_answers_are_one_as_long_as_they_fit() -> None:
    desk = Desk(PATIENT)
    task = await holding(desk)
    await asyncio.gather(desk.put("oAlice", "第一"), desk.put("oAlice", "第二"))
    assert await task == "第一\n\n第二"


async def test_what_does_not_fit_is_promised_and_given_back() -> None:
    desk = Desk(QUICK)
    task = await holding(desk)
    done = await asyncio.gather(
        desk.put("oAlice", "一" * 9), desk.put("oAlice", "二" * 30), return_exceptions=True
    )
    assert await task == "一" * 9 + "\n\n" + MORE
    assert done[0] is None
    assert isinstance(done[1], WindowClosed)


async def test_a_second_delivery_of_an_early_answer_is_only_noted() -> None:
    desk = Desk(PATIENT)
    task = await holding(desk)
    await desk.put("oAlice", "在的")
    await task
    assert await push(desk) == ""


async def test_an_answer_that_may_have_crossed_is_given_again() -> None:
    desk = Desk(PATIENT)
    task = await holding(desk)
    await desk.put("oAlice", "在的")
    await task
    desk.missed("m:1")
    assert await push(desk) == "在的"


async def test_a_given_up_answer_is_not_given_later() -> None:
    desk = Desk(QUICK)
    assert await push(desk) is None
    putting = asyncio.create_task(desk.put("oAlice", "在的"))
    await asyncio.sleep(0)
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    assert await push(desk) is None


async def test_a_desk_that_closes_holds_nobody() -> None:
    desk = Desk(PassiveOptions())
    task = await holding(desk)
    desk.close()
    assert await task is None
    with pytest.raises(WindowClosed):
        await desk.put("oAlice", "在的")
