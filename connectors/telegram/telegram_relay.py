"""Hands the customers of a shop's own Telegram bot over to kefu.

For a shop whose bot already runs on python-telegram-bot: copy this one file next to it and add

    relay = telegram_relay.install(application, url="https://kefu.example.com/hooks/telegram/main",
                                   secret=os.environ["KEFU_SECRET"])

before ``application.run_polling()`` (or ``run_webhook()``). In kefu the account is ``updates:
relayed``, with the same token and secret: kefu answers by itself through the Bot API and neither
polls nor sets a webhook. A host that calls ``initialize()`` and ``start()`` itself awaits
``relay.start()`` after them and ``relay.stop()`` before ``application.shutdown()``.

What is relayed: private messages (or what ``predicate`` says), the presses of kefu's own buttons
and who blocks the bot. Modes:

- ``default``: kefu hears what no command of the shop's answers. Every other handler of the shop
  runs as before, and both may answer the same message.
- ``unhandled``: kefu hears only what no handler in the shop's group 0 takes.
- ``exclusive``: kefu comes first, and the shop's handlers do not see what it takes.

It needs ``python-telegram-bot`` >= 21 and ``httpx``, which comes with it; nothing of kefu.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from telegram import Update
from telegram.ext import (
    Application,
    ApplicationHandlerStop,
    BaseHandler,
    CommandHandler,
    ConversationHandler,
)

logger = logging.getLogger("kefu.telegram_relay")

BUTTON_PREFIX = "kf1:"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105
MODES = ("default", "exclusive", "unhandled")
MAX_QUEUED = 1000
FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 30.0
REQUEST_TIMEOUT_S = 10.0
STOP_GRACE_S = 5.0

_GROUPS = {"default": 100, "exclusive": -100, "unhandled": 0}
_NEEDED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_UNREADABLE = frozenset({400, 413, 422})
"""kefu will never take it: asking again is no help."""

AnyApplication = Application[Any, Any, Any, Any, Any, Any]
Predicate = Callable[[Update], bool]


def install(
    application: AnyApplication,
    *,
    url: str,
    secret: str,
    mode: str = "default",
    predicate: Predicate | None = None,
    wait_s: float = 2.0,
    allowed_updates: Sequence[str] | None = None,
) -> Relay:
    """Relay an application's customers to kefu.

    Args:
        url: kefu's webhook address of the account: ``https://…/hooks/telegram/ACCOUNT``.
        secret: The account's ``webhook_secret``.
        mode: ``default``, ``exclusive`` or ``unhandled``. In ``unhandled``, add the shop's
            handlers before the application starts.
        predicate: Which messages to relay, instead of all private ones.
        wait_s: How long the shop's bot waits for kefu at most, per update; what takes longer goes
            on in the background.
        allowed_updates: What you give ``run_polling``, so that a missing kind is warned about.

    Returns:
        The relay; ``dropped`` and ``queued`` tell how it does.

    Raises:
        ValueError: The address, the secret or the mode cannot be right.
    """
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise ValueError("url must be the http(s) address of kefu's webhook")
    if not _SECRET.fullmatch(secret):
        raise ValueError("secret must be 1 to 256 of A-Z, a-z, 0-9, _ and -")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}")
    _warn(application, allowed_updates)
    relay = Relay(application, url=url, secret=secret, mode=mode, wait_s=wait_s)
    relay.add_handler(predicate)
    _wrap(application, relay)
    return relay


class Relay:
    """Takes updates from handlers and gives them to kefu, in order.

    Attributes:
        relayed: How many kefu has stored.
        dropped: How many were lost: the queue was full, or kefu could not read them.
    """

    def __init__(
        self, application: AnyApplication, *, url: str, secret: str, mode: str, wait_s: float
    ) -> None:
        self.mode = mode
        self.relayed = 0
        self.dropped = 0
        self._application = application
        self._url = url
        self._headers = {SECRET_HEADER: secret, "Content-Type": "application/json"}
        self._wait_s = wait_s
        self._waiting: deque[_Letter] = deque()
        self._news = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._is_failing = False
        self._handler: _RelayHandler | None = None

    @property
    def queued(self) -> int:
        """How many wait for kefu."""
        return len(self._waiting)

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Begin to send; ``run_polling`` and ``run_webhook`` do it themselves."""
        if self.mode == "unhandled" and self._handler is not None:
            # within a group the first match wins, so ours goes behind what was added since
            self._application.remove_handler(self._handler, _GROUPS[self.mode])
            self._application.add_handler(self._handler, _GROUPS[self.mode])
        self._ensure_running()

    async def stop(self) -> None:
        """Send what waits, for a few seconds at most, and end; twice is no harm."""
        worker = self._worker
        if worker is None:
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._emptied(), STOP_GRACE_S)
        self._worker = None
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
        if self._waiting:
            self.dropped += len(self._waiting)
            logger.error("kefu_relay: %d updates were not taken by kefu", len(self._waiting))
            self._waiting.clear()

    async def _emptied(self) -> None:
        while self._waiting:
            await self._waiting[-1].done.wait()

    def _ensure_running(self) -> None:
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._run())

    # ------------------------------------------------------------------ updates

    def add_handler(self, predicate: Predicate | None) -> None:
        """Put the relay's handler into the application."""
        is_meant = predicate or _is_private
        skipped = self._shop_commands if self.mode == "default" else frozenset
        self._handler = _RelayHandler(self, is_meant, skipped, is_final=self.mode == "exclusive")
        self._application.add_handler(self._handler, _GROUPS[self.mode])

    def _shop_commands(self) -> frozenset[str]:
        handlers = [one for group in self._application.handlers.values() for one in group]
        return frozenset(_commands(handlers))

    async def take(self, update: Update) -> None:
        """Give an update to kefu; returns when it is stored there, or after a moment."""
        self._ensure_running()
        letter = _Letter(body_of(update))
        if len(self._waiting) >= MAX_QUEUED:
            self._waiting.popleft().finish()
            self._dropped("the queue is full")
        self._waiting.append(letter)
        self._news.set()
        if self._is_failing:
            return  # the shop's bot need not be slow because kefu is away
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(letter.tried.wait(), self._wait_s)

    def _dropped(self, reason: str) -> None:
        self.dropped += 1
        logger.error("kefu_relay: an update was dropped, %s (%d so far)", reason, self.dropped)

    # ------------------------------------------------------------------ sending

    async def _run(self) -> None:
        timeout = httpx.Timeout(REQUEST_TIMEOUT_S)
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client:
            failures = 0
            while True:
                if not self._waiting:
                    self._news.clear()
                    await self._news.wait()
                    continue
                letter = self._waiting[0]
                wait_s = await self._post(client, letter)
                if wait_s is None:
                    failures = 0
                    continue
                failures += 1
                await asyncio.sleep(max(wait_s, _delay_s(failures)))

    async def _post(self, client: httpx.AsyncClient, letter: _Letter) -> float | None:
        """Try once.

        Returns:
            ``None`` when the update is dealt with; else the least seconds to wait.
        """
        try:
            answer = await client.post(self._url, content=letter.body, headers=self._headers)
        except httpx.HTTPError as error:
            self._failed(type(error).__name__)
            return 0.0
        if answer.is_success:
            self.relayed += 1
            self._is_failing = False
        elif answer.status_code in _UNREADABLE:
            self._dropped(f"kefu answered {answer.status_code}")
        else:
            self._failed(str(answer.status_code))
            return _retry_after_s(answer)
        letter.finish()
        if self._waiting and self._waiting[0] is letter:
            self._waiting.popleft()
        return None

    def _failed(self, reason: str) -> None:
        if not self._is_failing:
            logger.warning("kefu_relay: kefu does not take updates (%s), trying again", reason)
        self._is_failing = True
        for letter in self._waiting:
            letter.tried.set()


def body_of(update: Update) -> bytes:
    """Return an update as kefu's webhook takes it: the Bot API's JSON."""
    told = json.dumps(update.to_dict(), ensure_ascii=False, default=_plain)
    return told.encode("utf-8", "replace")


def _plain(value: Any) -> float | str:
    """Return what the library leaves as an object, such as the date 0 of an old message."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return value.total_seconds() if isinstance(value, timedelta) else str(value)


class _Letter:
    """An update on its way.

    Attributes:
        tried: kefu has it, or is away: waiting longer is no help.
        done: kefu has it, or it was dropped.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.tried = asyncio.Event()
        self.done = asyncio.Event()

    def finish(self) -> None:
        """It is dealt with."""
        self.tried.set()
        self.done.set()


class _RelayHandler(BaseHandler[Update, Any, None]):
    """Decides which updates are kefu's."""

    def __init__(
        self,
        relay: Relay,
        is_meant: Predicate,
        skipped: Callable[[], frozenset[str]],
        *,
        is_final: bool,
    ) -> None:
        super().__init__(self._unused)
        self._relay = relay
        self._is_meant = is_meant
        self._skipped = skipped
        self._is_final = is_final

    async def _unused(self, update: Update, context: Any) -> None:
        """``handle_update`` does it all."""

    def check_update(self, update: object) -> bool:
        """Whether the update goes to kefu."""
        if not isinstance(update, Update):
            return False
        if update.callback_query is not None:
            # a shop's button is the shop's; its data may even be an object
            data = update.callback_query.data
            return isinstance(data, str) and data.startswith(BUTTON_PREFIX)
        if update.my_chat_member is not None:
            return update.my_chat_member.chat.type == "private"
        if update.message is None and update.edited_message is None:
            return False
        return self._is_meant(update) and _command(update) not in self._skipped()

    async def handle_update(
        self,
        update: Update,
        application: AnyApplication,  # noqa: ARG002 - the library's signature
        check_result: object,  # noqa: ARG002
        context: Any,  # noqa: ARG002
    ) -> None:
        """Relay it, and end its way there if kefu alone may have it."""
        await self._relay.take(update)
        # a block is news for the shop's own handlers as well
        if self._is_final and update.my_chat_member is None:
            raise ApplicationHandlerStop


def _is_private(update: Update) -> bool:
    return update.effective_chat is not None and update.effective_chat.type == "private"


def _command(update: Update) -> str | None:
    """The command at the start of a message, in lower case and without the bot's name."""
    message = update.message
    if message is None or not message.text or not message.text.startswith("/"):
        return None
    return message.text.split(maxsplit=1)[0][1:].partition("@")[0].lower()


def _commands(handlers: Iterable[BaseHandler[Any, Any, Any]]) -> Iterable[str]:
    """All commands that some handlers answer, those inside conversations as well."""
    for handler in handlers:
        if isinstance(handler, CommandHandler):
            yield from handler.commands
        elif isinstance(handler, ConversationHandler):
            yield from _commands(handler.entry_points)
            yield from _commands(handler.fallbacks)
            for state in handler.states.values():
                yield from _commands(state)


def _delay_s(failures: int) -> float:
    step = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures - 1, 16))
    return step * (0.5 + random.random() / 2)  # noqa: S311 - a spread, no secret


def _retry_after_s(answer: httpx.Response) -> float:
    named = answer.headers.get("Retry-After", "")
    return min(float(named), LONGEST_RETRY_S) if named.isdecimal() else 0.0


def _warn(application: AnyApplication, allowed_updates: Sequence[str] | None) -> None:
    missing = [one for one in _NEEDED_UPDATES if allowed_updates and one not in allowed_updates]
    if missing:
        logger.warning("kefu_relay: allowed_updates leaves out %s", ", ".join(missing))
    if getattr(application.bot, "callback_data_cache", None) is not None:
        logger.warning(
            "kefu_relay: arbitrary_callback_data is on: presses of kefu's buttons will not arrive"
        )


Hook = Callable[[AnyApplication], Awaitable[None]]


def _wrap(application: AnyApplication, relay: Relay) -> None:
    """Start and stop with the application; what stood in its slots runs as before."""
    before_init, before_stop = application.post_init, application.post_stop
    before_shutdown = application.post_shutdown

    async def post_init(running: AnyApplication) -> None:
        if before_init is not None:
            await before_init(running)
        await relay.start()

    async def post_stop(running: AnyApplication) -> None:
        await relay.stop()
        if before_stop is not None:
            await before_stop(running)

    async def post_shutdown(running: AnyApplication) -> None:
        await relay.stop()  # when initializing failed, post_stop was never reached
        if before_shutdown is not None:
            await before_shutdown(running)

    application.post_init = post_init
    application.post_stop = post_stop
    application.post_shutdown = post_shutdown


__all__ = ["Relay", "install"]
