"""The storm: customers who ask, platforms that repeat, reorder and fail, and what came of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, select

from bot.app.server import Started
from devkit.people import user_id
from devkit.platform import FakePlatform, Fault, Faults
from storage.core.engine import engine_for
from storage.rows.desk.windows import HELD
from storage.tables.messaging import conversations, inbound, messages, outbox
from tests.storm.proxy import OvertakingProxy

TOPICS = (
    *("苹果怎么吃", "香蕉怎么剥", "橙子怎么榨", "葡萄怎么洗", "西瓜怎么挑"),
    *("草莓怎么种", "桃子怎么存", "樱桃怎么寄", "柠檬怎么切", "芒果怎么熟"),
)
"""What is asked: each has one answer that nothing else has."""

CALM_S = 120
PATIENCE_S = 1.5


def answer_of(topic: str) -> str:
    """What the bot says to a topic."""
    return f"【{topic}】请看说明书。"


def knowledge(folder: Path) -> Path:
    """A kb.yaml that knows these topics and nothing else."""
    shop = "name: 风暴店, timezone: Asia/Shanghai, hours: '每天 00:00-24:00'"
    lines = [f"shop: {{{shop}, welcome_buttons: [topic_0, human_agent]}}", "intents:"]
    for number, topic in enumerate(TOPICS):
        fruit = topic[:2]
        asks = ", ".join(
            [topic, f"{fruit}要{topic[2:]}", f"请问{topic}", f"{topic}呢", f"教教我{topic}"]
        )
        lines += [
            f"  topic_{number}:",
            f"    title: {topic}",
            f"    ask: [{asks}]",
            f"    answer: {answer_of(topic)}",
        ]
    lines += [
        "  human_agent:",
        "    title: 转人工",
        "    ask: [转人工, 人工客服]",
        "    handoff: true",
    ]
    path = folder / "storm.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad it is; shares of all messages or requests.

    Attributes:
        customers: Over all platforms together.
        per_customer: Messages each; at most the number of topics.
    """

    customers: int = 200
    per_customer: int = 10
    repeated: float = 0.05
    reordered: float = 0.05
    faulty: float = 0.10


class RandomFaults(Faults):
    """One request in so many meets a fault; every retry is a new request.

    Args:
        kinds: Faults to choose from.
        methods: Requests that send something; others go well.
    """

    def __init__(self, share: float, kinds: Sequence[Fault], methods: str, random: Random) -> None:
        super().__init__()
        self._share = share
        self._kinds = kinds
        self._methods = tuple(methods.split())
        self._random = random

    def take(self, method: str, parameters: Mapping[str, Any]) -> Fault | None:
        """The fault that this request meets, or ``None``."""
        is_send = any(part in method for part in self._methods)
        if not is_send or self._random.random() >= self._share:
            return super().take(method, parameters)
        fault = self._random.choice(self._kinds)
        self.used.append(fault)
        return fault


@dataclass(slots=True)
class Tally:
    """What came of it on one platform.

    Attributes:
        repeats: Deliveries beyond the first.
        faults: By kind.
        answered: Topics that customers read the answer to, once.
        twice: Answers that somebody read more than once.
        unknown: Messages that nobody knows the fate of: the platform gives no way to ask, so they
            are not repeated, and an agent sees them.
        failed: Given up: refused twice where the platform does not say why.
        held: Kept until the customer writes again: the platform allows no more for now.
        missing: Answers that somebody did not read; never more than these three together.
        turned: Neighbouring answers in an order that is neither the customer's nor the arrivals'.
    """

    messages: int = 0
    repeats: int = 0
    swaps: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    answered: int = 0
    twice: int = 0
    unknown: int = 0
    failed: int = 0
    held: int = 0
    missing: int = 0
    turned: int = 0


@dataclass(frozen=True, slots=True)
class Storm:
    """One storm over one kefu.

    Attributes:
        proxy: Between the platforms that push and kefu.
    """

    started: Started
    platforms: Sequence[FakePlatform]
    weather: Weather
    random: Random
    proxy: OvertakingProxy

    async def rage(self) -> dict[str, Tally]:
        """Let it happen, wait until it is over, and count; by channel."""
        tallies = {platform.channel: Tally() for platform in self.platforms}
        asked: list[tuple[FakePlatform, str, list[str]]] = []
        for number in range(self.weather.customers):
            platform = self.platforms[number % len(self.platforms)]
            topics = self.random.sample(TOPICS, self.weather.per_customer)
            asked.append((platform, f"u{number:04}", topics))
        async with asyncio.TaskGroup() as customers:
            for platform, user, topics in asked:
                tally = tallies[platform.channel]
                customers.create_task(self._customer(platform, user, topics, tally))
        await _calm(self.started)
        stored = _stored(self.started)
        for platform, user, topics in asked:
            lines = [one.text for one in platform.shown(user)]
            arrived = stored.get((platform.channel, user_id(platform, user)), [])
            _count(tallies[platform.channel], topics, lines, arrived)
        for platform in self.platforms:
            used = Counter(fault.kind for fault in platform.faults.used)
            tallies[platform.channel].faults = used
        _count_states(self.started, tallies)
        return tallies

    async def _customer(
        self, platform: FakePlatform, user: str, topics: Sequence[str], tally: Tally
    ) -> None:
        waiting = list(topics)
        while waiting:
            pair = [waiting.pop(0)]
            if waiting and self.random.random() < self.weather.reordered:
                # both are on their way at once, and the first is held back
                pair.append(waiting.pop(0))
                tally.swaps += 1
                self.proxy.slow_next()
            await asyncio.gather(*(self._says(platform, user, one, tally) for one in pair))
            with suppress(TimeoutError):
                # people read before they go on; but nobody waits for ever
                asked = len(topics) - len(waiting)
                await platform.until_shown(user, asked, timeout_s=PATIENCE_S)

    async def _says(self, platform: FakePlatform, user: str, text: str, tally: Tally) -> None:
        times = 2 if self.random.random() < self.weather.repeated else 1
        tally.messages += 1
        tally.repeats += times - 1
        await platform.says(user, text, times=times)


async def _calm(started: Started) -> None:
    """Wait until nothing waits for a turn or to be sent; what is held for a window may wait.

    Raises:
        TimeoutError: With what still waits.
    """
    engine = engine_for(started.settings.database)
    asked = select(func.count()).select_from(inbound).where(inbound.c.turn_id.is_(None))
    unsent = (
        select(outbox.c.channel, outbox.c.error, outbox.c.attempts, func.count())
        .where(outbox.c.state == "pending", outbox.c.next_at < HELD)
        .group_by(outbox.c.channel, outbox.c.error, outbox.c.attempts)
    )
    left: object = None
    try:
        async with asyncio.timeout(CALM_S):
            while True:
                with engine.connect() as connection:
                    waiting = connection.execute(asked).scalar_one()
                    pending = connection.execute(unsent).all()
                if not waiting and not pending:
                    return
                left = (waiting, pending)
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise TimeoutError(f"after {CALM_S} s there still wait: {left}") from None
    finally:
        engine.dispose()


def _stored(started: Started) -> dict[tuple[str, str], list[str]]:
    """What each customer said, in the order in which it arrived; by channel and user."""
    engine = engine_for(started.settings.database)
    statement = (
        select(conversations.c.channel, conversations.c.user_id, messages.c.text)
        .select_from(inbound)
        .join(messages, messages.c.id == inbound.c.message_id)
        .join(conversations, conversations.c.id == inbound.c.conversation_id)
        .where(messages.c.author == "customer")
        .order_by(inbound.c.id)
    )
    found: dict[tuple[str, str], list[str]] = {}
    with engine.connect() as connection:
        for channel, user, text in connection.execute(statement):
            found.setdefault((channel, user), []).append(text)
    engine.dispose()
    return found


def _count(
    tally: Tally, topics: Sequence[str], lines: Sequence[str], arrived: Sequence[str]
) -> None:
    read = [topic for line in lines for topic in TOPICS if answer_of(topic) in line]
    seen = Counter(read)
    tally.answered += sum(1 for topic in topics if seen[topic] == 1)
    tally.twice += sum(1 for topic in topics if seen[topic] > 1)
    tally.missing += sum(1 for topic in topics if seen[topic] == 0)
    tally.stored += len(arrived)
    for earlier, later in pairwise(read):
        was_said_later = topics.index(earlier) > topics.index(later)
        came_later = earlier in arrived and arrived.index(earlier) > arrived.index(later)
        tally.turned += was_said_later and came_later


def _count_states(started: Started, tallies: Mapping[str, Tally]) -> None:
    engine = engine_for(started.settings.database)
    with engine.connect() as connection:
        for channel, tally in tallies.items():
            states: dict[str, int] = dict(
                connection.execute(
                    select(outbox.c.state, func.count())
                    .where(outbox.c.channel == channel)
                    .group_by(outbox.c.state)
                ).all()
            )
            tally.unknown = states.get("unknown", 0)
            tally.failed = states.get("failed", 0)
            tally.held = states.get("pending", 0)
    engine.dispose()


def table(tallies: Mapping[str, Tally]) -> str:
    """The counts, a line a channel."""
    names = (
        *("messages", "repeats", "swaps", "stored", "answered", "twice", "missing"),
        *("unknown", "failed", "held", "turned"),
    )
    rows: list[tuple[str, ...]] = [("channel", *names, "faults")]
    for channel, tally in tallies.items():
        faults = " ".join(f"{kind}:{count}" for kind, count in sorted(tally.faults.items()))
        rows.append((channel, *(str(getattr(tally, name)) for name in names), faults))
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
