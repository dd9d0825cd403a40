"""A clock that is set back while something waits: nobody hears nothing for an hour."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest

from bot.app.services import Services, services
from bot.app.settings import Settings
from connectors.errors import RateLimited, Retryable
from connectors.messages import SendResult, Unit
from knowledge_base.recognition.loader import KnowledgeBase
from storage.core.keyring import Keyring
from storage.core.schema import upgrade
from tests.bot.conftest import START, Channel, Customer
from tests.bot.test_steady_clock import Machine

Start = Callable[[], AbstractAsyncContextManager[Services]]


class Failing(Channel):
    """A channel whose first sends fail."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)

    async def send(self, unit: Unit) -> SendResult:
        if self.errors:
            raise self.errors.pop(0)
        return await super().send(unit)


@pytest.fixture
def machine() -> Machine:
    return Machine(START)


@pytest.fixture
def start(settings: Settings, knowledge: KnowledgeBase, machine: Machine) -> Start:
    upgrade(settings.database)
    keyring = Keyring([Keyring.new_key()])

    @asynccontextmanager
    async def process() -> AsyncIterator[Services]:
        async with services(
            settings, keyring=keyring, clock=machine.clock(), knowledge=knowledge
        ) as parts:
            yield parts

    return process


async def looks_again(parts: Services) -> None:
    await parts.delivery.poll()
    await parts.delivery.settle()


@pytest.mark.parametrize("by", [timedelta(minutes=4), timedelta(hours=1), timedelta(days=30)])
async def test_a_retry_goes_out_in_time_though_the_clock_was_set_back(
    start: Start, machine: Machine, by: timedelta
) -> None:
    async with start() as parts:
        channel = Failing(Retryable("network", "gone"))
        parts.connectors.add(channel)
        customer = Customer(parts, channel, [])
        assert await customer.says("你好") == ""
        machine.is_set(-by)
        machine.passes(3)
        await looks_again(parts)
        assert len(customer.heard) == 1


async def test_a_reply_left_by_a_process_whose_clock_was_ahead_goes_out_after_the_start(
    start: Start, machine: Machine
) -> None:
    machine.is_set(timedelta(hours=1))
    async with start() as parts:
        channel = Failing(Retryable("network", "gone"))
        parts.connectors.add(channel)
        assert await Customer(parts, channel, [], name="c").says("你好") == ""
    machine.is_set(-timedelta(hours=1))
    machine.passes(3)
    async with start() as parts:
        channel = Failing()
        parts.connectors.add(channel)
        await parts.start()
        await looks_again(parts)
        assert len(channel.lines) == 1


async def test_a_platform_that_asks_for_a_day_is_asked_again_within_the_hour(
    start: Start, machine: Machine
) -> None:
    async with start() as parts:
        channel = Failing(RateLimited("429", "flood", retry_after_s=86_400))
        parts.connectors.add(channel)
        customer = Customer(parts, channel, [])
        assert await customer.says("你好") == ""
        machine.passes(3500)
        await looks_again(parts)
        assert customer.heard == []
        machine.passes(150)
        await looks_again(parts)
        assert len(customer.heard) == 1
