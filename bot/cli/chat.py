"""``kefu chat``: talk to the bot in the terminal, with its reasons.

It works on a copy of the shop, so that nothing said here reaches a customer, an agent or an order.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from ulid import ULID

from bot.app.demo import demo_of, has_demo
from bot.app.persistence.database import configured_keyring, key_file, opened_database
from bot.app.process.errors import BadData
from bot.app.services import Services, knowledge_files, services
from bot.app.settings import Settings
from bot.turn.commit import Outcome
from connectors.kit.base import BaseConnector
from connectors.messages import (
    Address,
    Capabilities,
    ChannelRef,
    Inbound,
    Outbound,
    SendResult,
    SendStatus,
    Unit,
)
from shop.access.throttle import Limits
from shop.demo.seeding import plant

TERMINAL = ChannelRef("terminal", "chat")
_LOOKUPS = 1000


class TerminalConnector(BaseConnector):
    """Collects what the customer would read."""

    def __init__(self) -> None:
        super().__init__(TERMINAL)
        self.lines: list[Outbound] = []

    @property
    def capabilities(self) -> Capabilities:
        """Text; the terminal numbers buttons by itself."""
        return Capabilities(max_text=100_000, composes=True)

    async def send(self, unit: Unit) -> SendResult:
        """Keep a line for showing."""
        self.lines.append(unit.outbound)
        return SendResult(SendStatus.DELIVERED)


class Chat:
    """One customer's conversation in the terminal."""

    def __init__(self, parts: Services, connector: TerminalConnector, heard: list[Outcome]) -> None:
        self._parts = parts
        self._connector = connector
        self._customer = f"me{str(ULID())[-8:].lower()}"
        self._heard = heard

    async def say(self, text: str) -> tuple[Outcome, list[Outbound]]:
        """Send one message; the turn, and what the customer reads.

        Raises:
            BadData: The message had no turn; the log says why.
        """
        self._connector.lines.clear()
        self._heard.clear()
        address = Address(TERMINAL, self._customer, self._customer)
        await self._parts.intake.accept(
            [
                Inbound(
                    dedup_key=str(ULID()),
                    address=address,
                    received_at=self._parts.clock(),
                    text=text,
                )
            ]
        )
        await self._parts.turns.settle()
        await self._parts.delivery.settle()
        lines = sorted(self._connector.lines, key=lambda line: line.seq)
        if not self._heard:
            raise BadData("the message had no turn; see the log above")
        return self._heard[-1], lines


def as_object(outcome: Outcome, lines: list[Outbound]) -> dict[str, Any]:
    """A turn as one JSON object; see docs for its fields."""
    reasons = outcome.reasons
    actions = list(reasons.actions)
    return {
        "replies": [line.text for line in lines],
        "intent": reasons.intent,
        "confidence": reasons.confidence,
        "action": actions[0] if len(actions) == 1 else actions,
        "state": outcome.conversation.state.value,
        "candidates": list(reasons.candidates),
        "band": reasons.band,
        "rule": reasons.rule,
        "outcome": reasons.outcome,
        "buttons": [button.label for line in lines for button in line.buttons],
    }


@asynccontextmanager
async def chat_with(settings: Settings) -> AsyncIterator[Chat]:
    """A conversation over a copy of the data folder's shop, or over the demo if it is empty."""
    knowledge = await asyncio.to_thread(knowledge_files(settings).load)
    with tempfile.TemporaryDirectory(prefix="kefu-chat-") as folder:
        copy = settings.model_copy(
            update={
                "data_dir": Path(folder),
                "database_url": None,
                # one line in is one turn out: there is nobody to wait for
                "fragment_wait_s": 0.0,
            }
        )
        original = settings.data_dir / "kefu.db"
        is_new = not original.exists()
        if not is_new:
            # a lost or damaged key is told of the folder where it is missing
            await asyncio.to_thread(configured_keyring, settings)
            await asyncio.to_thread(_copy_database, original, copy.data_dir / "kefu.db")
            if key_file(settings).exists():
                shutil.copy(key_file(settings), key_file(copy))
        keyring = await asyncio.to_thread(opened_database, copy)
        heard: list[Outcome] = []
        parts = services(
            copy,
            keyring=keyring,
            knowledge=knowledge,
            on_turn=heard.append,
            # whoever tries the bot out looks up more than a customer would
            limits=Limits(lookups=_LOOKUPS),
        )
        async with parts as running:
            if is_new or has_demo(settings.data_dir):
                demo = demo_of(settings.data_dir, running.clock())
                await plant(running.storage, demo, running.shop.passwords)
            connector = TerminalConnector()
            running.connectors.add(connector)
            yield Chat(running, connector, heard)


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database that may be in use, as of one moment.

    Raises:
        BadData: It cannot be read, or there is no room for the copy.
    """
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)
    except sqlite3.Error as error:
        raise BadData(f"{source}: 数据库复制不了（{error}），检查文件和磁盘空间") from error


async def run_json(chat: Chat) -> None:
    """One customer message a line in, one object a turn out, until the input ends."""
    for line in sys.stdin:
        text = line.rstrip("\n")
        if not text.strip():
            continue
        outcome, lines = await chat.say(text)
        sys.stdout.write(json.dumps(as_object(outcome, lines), ensure_ascii=False) + "\n")
        sys.stdout.flush()


async def run_text(chat: Chat) -> None:
    """A conversation for people, reasons after each answer."""
    sys.stdout.write("和机器人聊聊吧。按 Ctrl+D 结束。\n")
    while True:
        sys.stdout.write("\n您：")
        sys.stdout.flush()
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            sys.stdout.write("\n")
            return
        if line.strip():
            outcome, lines = await chat.say(line.rstrip("\n"))
            sys.stdout.write(as_text(outcome, lines))


_ACTIONS = {
    "answer": "回答",
    "clarify": "反问",
    "fallback": "说没听懂",
    "handoff": "转人工",
    "silent": "不说话",
    "ask_slot": "要",
    "tool": "查",
}
_RULES = {
    "exact": "和问法一字不差",
    "exact_conflict": "几个意图都有这句问法",
    "pattern": "对上了 patterns",
    "sure": "有把握",
    "close_call": "前两个太接近",
    "below_answer": "把握不够直接答",
    "below_clarify": "把握太小",
    "out_of_scope": "在 out_of_scope 里",
    "nothing_known": "没有认得的字词",
    "context": "连着上一句理解",
    "button": "点了按钮",
    "entity": "话里有订单号或卡密",
}
_STATES = {"waiting": "在排队等人工", "agent": "人工在接待", "closed": "会话已结束"}
_BAR_CHARS = 10


def as_text(outcome: Outcome, lines: list[Outbound]) -> str:
    """A turn for people: what the customer reads, then why."""
    parts = []
    for line in lines:
        name = "系统" if line.author == "system" else "机器人"
        parts.append(f"{name}：{line.text}\n")
        parts += [f"  [{n}] {button.label}\n" for n, button in enumerate(line.buttons, 1)]
    return "".join([*parts, *_reasons(outcome)])


def _reasons(outcome: Outcome) -> Iterator[str]:
    reasons = outcome.reasons
    told = [" + ".join(_action(action) for action in reasons.actions)]
    if reasons.rule is not None:
        told.append(_RULES.get(reasons.rule, reasons.rule))
    if reasons.outcome is not None:
        told.append(f"结果 {reasons.outcome}")
    state = outcome.conversation.state.value
    if state in _STATES:
        told.append(_STATES[state])
    yield f"  · {'｜'.join(told)}\n"
    for candidate in reasons.candidates:
        confidence, named = candidate["confidence"], candidate["title"]
        bar = "█" * round(_BAR_CHARS * confidence)
        yield f"    {confidence:.2f} {bar:<{_BAR_CHARS}} {candidate['intent']}（{named}）\n"


def _action(action: str) -> str:
    kind, _, name = action.partition(":")
    return " ".join(part for part in (_ACTIONS.get(kind, kind), name) if part)
