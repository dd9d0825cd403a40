"""FakeTelegram: a Bot API server with one bot, its customers and its groups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

from devkit.platform import (
    Clock,
    FakePlatform,
    Fault,
    Shown,
)
from devkit.telegram import parameters, payloads, rules
from devkit.telegram.api import BotApi
from devkit.telegram.parameters import Parameters
from devkit.telegram.pusher import Pusher, Webhook
from devkit.telegram.rules import Refusal, bad, error_body
from devkit.telegram.state import (
    TOKEN,
    Chat,
    Json,
    Query,
    State,
)
from devkit.telegram.updates import Pending, Updates

if TYPE_CHECKING:
    from devkit.telegram.shop_bot import ShopBot

SECRET = "relay_secret-0123456789"
_LONGEST_POLL_S = 50


class FakeTelegram(FakePlatform):
    """One bot.

    Faults of kind ``error`` take ``code``, and in ``fields`` a ``description`` and whatever stands
    in ``parameters`` (``retry_after``, ``migrate_to_chat_id``).

    Args:
        mode: How kefu's account gets its updates: ``polling``, ``webhook`` or ``relayed``.

    Attributes:
        token: Of the bot; change it to revoke the old one.
        updates: Those that wait, and the rules of polling.
        pusher: The webhook, and the rules of pushing.
        shop_bot: What relays, once connected in that mode.
    """

    channel = "telegram"

    def __init__(self, clock: Clock | None = None, *, mode: str = "polling") -> None:
        super().__init__(clock)
        self.mode = mode
        self.token = TOKEN
        self.state = State()
        self.updates = Updates(self.clock)
        self.api = BotApi(self.state, self.clock)
        self.pusher = Pusher(
            self.updates, self.clock, self.pushes, execute=self._execute, changed=self.changed
        )
        self._methods = {name.lower(): (name, act) for name, act in self.api.methods().items()}
        for name, act in (
            ("setWebhook", self._set_webhook),
            ("deleteWebhook", self._delete_webhook),
            ("getWebhookInfo", self._webhook_info),
        ):
            self._methods[name.lower()] = (name, act)
        self.shop_bot: ShopBot | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ the server

    def application(self) -> web.Application:
        """``/bot…`` and ``/file/bot…``."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._called)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        return app

    async def stop(self) -> None:
        """Hang up, and let no update travel on."""
        if self.shop_bot is not None:
            await self.shop_bot.stop()
            self.shop_bot = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pusher.close()
        await super().stop()

    async def _called(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["method"].lower()
        name, act = self._methods.get(wanted, (wanted, None))
        if wanted == "getupdates":
            name = "getUpdates"
        try:
            asked = await parameters.read(request)
        except Refusal as refusal:
            return _refused(refusal)
        self.record(name, dict(asked.values), request.headers)

        async def answer() -> web.StreamResponse:
            try:
                self._check_token(request)
                result = await self._poll(asked) if name == "getUpdates" else _done(act, asked)
            except Refusal as refusal:
                return _refused(refusal)
            finally:
                self.changed()
            return web.json_response({"ok": True, "result": result})

        return await self.met_fault(request, name, asked.values, answer, _fault_error)

    def _check_token(self, request: web.Request) -> None:
        token = request.match_info["token"]
        if token == self.token:
            return
        is_token = token.partition(":")[0].isdecimal() and ":" in token
        raise Refusal(401) if is_token else Refusal(404)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.record("file", {"path": path}, request.headers)

        async def answer() -> web.StreamResponse:
            try:
                self._check_token(request)
                content = self.api.content(path)
            except Refusal as refusal:
                return _refused(refusal)
            return web.Response(body=content, content_type="application/octet-stream")

        return await self.met_fault(request, "file", {"path": path}, answer, _fault_error)

    def _execute(self, method: str, call: Json) -> None:
        """A call in a webhook's answer; nobody is told what became of it."""
        wanted = method.lower()
        if wanted.startswith("get") or wanted in {"setwebhook", "deletewebhook", "close", "logout"}:
            return
        name, act = self._methods.get(wanted, (method, None))
        self.record(name, call)
        if act is not None:
            try:
                act(Parameters(call, {}))
            except Refusal:
                return

    # ------------------------------------------------------------------ how updates leave

    async def _poll(self, asked: Parameters) -> list[Json]:
        if self.pusher.webhook is not None:
            raise Refusal(409, rules.HAS_WEBHOOK)
        self._set_allowed(asked)
        timeout_s = max(0, min(asked.integer("timeout"), _LONGEST_POLL_S))
        return await self.updates.poll(
            asked.integer("offset"), asked.integer("limit", 100), timeout_s
        )

    def _set_allowed(self, asked: Parameters) -> None:
        allowed = asked.data("allowed_updates")
        if allowed is not None:
            self.updates.allowed = [str(one) for one in allowed] or None

    def _set_webhook(self, asked: Parameters) -> Any:
        url = asked.text("url")
        if not url:
            return self._delete_webhook(asked)
        secret = asked.text("secret_token")
        if len(secret) > rules.MAX_SECRET_TOKEN:
            raise bad("secret token is too long")
        if secret and not rules.SECRET_TOKEN.fullmatch(secret):
            raise bad("secret token contains unallowed characters")
        _check_webhook_url(url)
        self._set_allowed(asked)
        most = asked.integer("max_connections", 40)
        self.pusher.webhook = Webhook(url, secret, most if 1 <= most <= 100 else 40)
        self.updates.interrupt_for_webhook()
        self._drop_if_asked(asked)
        for key in self.updates.queues():
            self._spawn(key)
        return True

    def _delete_webhook(self, asked: Parameters) -> bool:
        self.pusher.webhook = None
        self._drop_if_asked(asked)
        return True

    def _drop_if_asked(self, asked: Parameters) -> None:
        if asked.flag("drop_pending_updates"):
            self.updates.waiting.clear()

    def _webhook_info(self, _asked: Parameters) -> Json:
        hook = self.pusher.webhook
        info: Json = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.updates.waiting),
        }
        if self.updates.allowed:
            info["allowed_updates"] = list(self.updates.allowed)
        if hook is not None:
            info |= {"max_connections": hook.max_connections, "ip_address": "127.0.0.1"}
        if hook is not None and hook.last_error_at is not None:
            info["last_error_date"] = int(hook.last_error_at.timestamp())
            info["last_error_message"] = hook.last_error
        return info

    def _spawn(self, key: tuple[int, str]) -> None:
        task = asyncio.create_task(self.pusher.drain(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ kefu's side

    def account(self, name: str = "main") -> dict[str, Any]:
        """This account as an entry of channels.yaml."""
        entry = {
            "channel": self.channel,
            "account": name,
            "token": self.token,
            "api_url": self.url,
            "updates": self.mode,
        }
        return entry | ({"webhook_secret": SECRET} if self.mode != "polling" else {})

    async def connect(self, kefu_url: str, name: str = "main") -> None:
        """Start the shop's own bot where it relays; else kefu polls, or sets its webhook itself."""
        if self.mode != "relayed":
            return
        from devkit.telegram.shop_bot import ShopBot  # noqa: PLC0415 - dear to load

        hook_url = f"{kefu_url}/hooks/{self.channel}/{name}"
        if self.shop_bot is not None:
            await self.shop_bot.stop()
        self.shop_bot = ShopBot(self.url, self.token, hook_url, SECRET)
        await self.shop_bot.start()

    # ------------------------------------------------------------------ the customer's side

    async def says(
        self,
        user: str,
        text: str,
        *,
        group: str | None = None,
        mentions: bool = True,
        times: int = 1,
    ) -> str:
        """A customer writes; the update's number."""
        content = payloads.text(text, mentions=mentions and group is not None)
        return await self._writes(user, content, group=group, times=times)

    async def sends_media(
        self, user: str, kind: str, content: bytes, *, name: str = "", mime: str = ""
    ) -> str:
        """A customer sends a file."""
        stored = self.state.store(content)
        return await self._writes(user, payloads.media(kind, stored, name=name, mime=mime))

    async def sends(self, user: str, *, group: str | None = None, **content: Any) -> str:
        """A customer sends a message that holds whatever is named: a sticker, a place."""
        return await self._writes(user, content, group=group)

    async def edits(self, user: str, key: str, text: str) -> str:
        """A customer changes a message that they wrote."""
        before = self.updates.everything[int(key)].update["message"]
        edited = {**before, "text": text, "edit_date": int(self.clock().timestamp())}
        return await self._happens("edited_message", edited, self.state.private(user))

    async def presses(self, user: str, label: str, *, times: int = 1) -> str:
        """A customer presses a button; ``times`` is how often that one press is delivered."""
        chat = self.state.private(user)
        for sent in reversed(chat.sent.values()):
            for row in sent.message.get("reply_markup", {}).get("inline_keyboard", []):
                for button in row:
                    if button["text"] == label and "callback_data" in button:
                        data = button["callback_data"]
                        return await self._press(chat, sent.message, data, times)
        raise AssertionError(f"no button {label}")

    async def _press(self, chat: Chat, message: Json, data: str, times: int) -> str:
        query = Query(str(4382_0000_0000 + self.state.number()), self.clock())
        self.state.queries[query.id] = query
        content = {
            "id": query.id,
            "from": payloads.user(chat.id, chat.name),
            "message": message,
            "chat_instance": "-3741827364",
            "data": data,
        }
        life = rules.QUERY_LIFE
        return await self._happens("callback_query", content, chat, times=times, life=life)

    async def arrives(self, user: str, payload: str = "") -> str:
        """A customer presses Start; who had blocked the bot unblocks it first."""
        chat = self.state.private(user)
        if chat.is_left:
            chat.is_left = False
            await self._changes_membership(chat, "kicked", "member")
        return await self.says(user, f"/start {payload}".strip())

    async def leaves(self, user: str) -> str:
        """A customer blocks the bot."""
        chat = self.state.private(user)
        chat.is_left = True
        return await self._changes_membership(chat, "member", "kicked")

    async def _changes_membership(self, chat: Chat, old: str, new: str) -> str:
        who = payloads.user(chat.id, chat.name)
        change = payloads.membership(chat, who, self.clock(), old, new)
        return await self._happens("my_chat_member", change, chat)

    async def replays(self, key: str) -> None:
        """The platform delivers an update once more."""
        pending = self.updates.everything[int(key)]
        if self.pusher.webhook is not None:
            await self.pusher.push(pending)
        else:
            self.updates.repeat(pending)

    async def redelivers(self) -> None:
        """Time has passed: whatever a webhook has refused so far is offered again."""
        await asyncio.gather(*(self.pusher.drain(key) for key in self.updates.queues()))

    async def happens(self, kind: str, content: Any, user: str = "somebody") -> str:
        """An update of any kind, also one that nobody knows yet."""
        return await self._happens(kind, content, self.state.private(user))

    def shown(self, user: str, *, group: str | None = None) -> list[Shown]:
        """What a customer, or a group, sees of the bot."""
        chat = self.state.private(user) if group is None else self.state.group(group)
        return [sent.shown for sent in chat.sent.values()]

    def migrates(self, group: str) -> int:
        """A group is upgraded; its new id."""
        old = self.state.group(group)
        new_id = old.id - 10_000
        old.migrated_to = new_id
        self.state.groups[group] = new_id
        self.state.group(group)
        return new_id

    # ------------------------------------------------------------------ inside

    async def _writes(
        self, user: str, content: Json, *, group: str | None = None, times: int = 1
    ) -> str:
        writer = self.state.private(user)
        chat = writer if group is None else self.state.group(group)
        chat.is_started = True
        who = payloads.user(writer.id, writer.name)
        message = payloads.message(chat, who, self.state.message_id(), self.clock(), **content)
        if chat.is_group and self.api.has_privacy and not payloads.is_for_bot(message):
            return ""
        return await self._happens("message", message, chat, times=times)

    async def _happens(
        self,
        kind: str,
        content: Any,
        chat: Chat,
        *,
        times: int = 1,
        life: timedelta = rules.MESSAGE_LIFE,
    ) -> str:
        queue = "message" if kind in {"message", "edited_message"} else kind
        pending = self.updates.add(kind, content, (chat.id, queue), life)
        await self._deliver(pending, times)
        self.changed()
        return str(pending.id)

    async def _deliver(self, pending: Pending, times: int) -> None:
        if self.pusher.webhook is None:
            if times > 1:
                self.updates.repeat(pending, times - 1)
            return
        await self.pusher.drain(pending.key)
        for _ in range(times - 1):
            await self.pusher.push(pending)


def _check_webhook_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.hostname in {"127.0.0.1", "localhost"}:
        return  # what a developer may and the real server may not
    if parts.scheme != "https":
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in rules.WEBHOOK_PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def _done(act: Callable[[Parameters], Any] | None, asked: Parameters) -> Any:
    if act is None:
        raise Refusal(404, "method not found")
    return act(asked)


def _refused(refusal: Refusal) -> web.Response:
    body = error_body(refusal.code, refusal.detail, refusal.parameters)
    return web.json_response(body, status=refusal.code)


_DETAILS: dict[int, Callable[[Fault], str]] = {
    403: lambda _fault: rules.BLOCKED,
    409: lambda _fault: rules.OTHER_POLLER,
    429: lambda fault: f"retry after {fault.fields.get('retry_after', 5)}",
}


def _fault_error(fault: Fault) -> web.Response:
    """The platform's own error."""
    fields = dict(fault.fields)
    detail = fields.pop("description", None)
    if detail is None:
        about = _DETAILS.get(fault.code)
        detail = about(fault) if about is not None else ""
    return web.json_response(error_body(fault.code, detail, fields), status=fault.code)


__all__ = ["SECRET", "FakeTelegram"]
