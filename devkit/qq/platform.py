"""FakeQQOpen: the QQ bot platform with one bot, reached by webhook."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from devkit.platform import (
    Clock,
    FakePlatform,
    Fault,
    Shown,
)
from devkit.qq import events
from devkit.qq.api import Permissions, QQApi
from devkit.qq.rules import (
    GROUPS,
    USERS,
    Refusal,
    error_body,
)
from devkit.qq.state import (
    Anchor,
    File,
    Peer,
    State,
    openid,
)
from devkit.qq.webhook import Webhook

APP_ID = "11111111"
SECRET = "DG5g3B4j9X2KOErG"
BOT_OPENID = openid("user", "the bot")
CHECK_TOKEN = "Arq0D5A61EgUu4OxUvOp"

Json = dict[str, Any]
Act = Callable[[], Awaitable[web.StreamResponse]]


class FakeQQOpen(FakePlatform):
    """One bot.

    Methods, for faults and in ``calls``: ``token``, ``users/@me``, ``users/messages``,
    ``groups/messages``, ``users/files``, ``groups/files``, ``users/recall``, ``groups/recall``,
    ``interactions``, ``media``.

    Attributes:
        may: The bot's permissions and what the review refuses.
        reads_all: The bot gets every message of its groups, not only those that mention it.
        bare_urls: Addresses of attachments come without their scheme.
    """

    channel = "qq"

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.app_id, self.secret = APP_ID, SECRET
        self.may = Permissions()
        self.reads_all = False
        self.bare_urls = False
        self.state = State()
        self.webhook = Webhook(APP_ID, SECRET)
        self._api = QQApi(self.state, self.may, self.clock, APP_ID, SECRET)

    # ------------------------------------------------------------------ the server

    def application(self) -> web.Application:
        """The token service and the API, on one base URL as on api.bot.qq.com."""
        app = web.Application(client_max_size=64 << 20)
        app.add_routes(
            [
                web.post("/app/getAppAccessToken", self._token),
                web.get("/users/@me", self._me),
                web.post("/v2/{scope:users|groups}/{openid}/messages", self._messages),
                web.delete("/v2/{scope:users|groups}/{openid}/messages/{id}", self._recall),
                web.post("/v2/{scope:users|groups}/{openid}/files", self._files),
                web.put("/interactions/{id}", self._interactions),
                web.get("/media/{name}", self._media),
            ]
        )
        return app

    async def _token(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)

        async def act() -> web.StreamResponse:
            return web.json_response(self._api.token(body))

        def error(fault: Fault) -> web.StreamResponse:
            # whatever is wrong, the status is 200
            return web.json_response({"code": fault.code, "message": "error"})

        self.record("token", body, request.headers)
        return await self.met_fault(request, "token", body, act, error)

    async def _me(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.StreamResponse:
            return web.json_response({"id": BOT_OPENID, "username": "点卡小助手", "bot": True})

        return await self._answer(request, "users/@me", {}, act)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        peer, body = _peer(request), await _json(request)

        async def act() -> web.StreamResponse:
            status, answer = self._api.send(peer, body)
            return web.json_response(answer, status=status)

        return await self._answer(request, f"{peer[0]}/messages", body, act)

    async def _files(self, request: web.Request) -> web.StreamResponse:
        peer, body = _peer(request), await _json(request)

        async def act() -> web.StreamResponse:
            return web.json_response(await self._api.upload(peer, body))

        return await self._answer(request, f"{peer[0]}/files", body, act)

    async def _recall(self, request: web.Request) -> web.StreamResponse:
        peer, message_id = _peer(request), request.match_info["id"]

        async def act() -> web.StreamResponse:
            self._api.recall(peer, message_id)
            return web.json_response({})

        return await self._answer(request, f"{peer[0]}/recall", {"id": message_id}, act)

    async def _interactions(self, request: web.Request) -> web.StreamResponse:
        interaction_id, body = request.match_info["id"], await _json(request)

        async def act() -> web.StreamResponse:
            self._api.acknowledge(interaction_id, body)
            return web.json_response({})

        parameters = {**body, "id": interaction_id}
        return await self._answer(request, "interactions", parameters, act)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        """A customer's file; no token is asked for."""
        name = request.match_info["name"]
        self.record("media", {"name": name}, request.headers)
        file = self.state.served.get(name)

        async def act() -> web.StreamResponse:
            if file is None:
                return web.Response(status=404)
            return web.Response(body=file.content, content_type=file.mime)

        return await self.met_fault(request, "media", {"name": name}, act, _fault_error)

    async def _answer(
        self, request: web.Request, method: str, parameters: Mapping[str, Any], act: Act
    ) -> web.StreamResponse:
        self.record(method, parameters, request.headers)

        async def checked() -> web.StreamResponse:
            try:
                self._api.check_access(request.headers)
                return await act()
            except Refusal as refusal:
                return web.json_response(error_body(refusal.code), status=refusal.status)
            finally:
                self.changed()

        answer = await self.met_fault(request, method, parameters, checked, _fault_error)
        answer.headers["X-Tps-trace-ID"] = "4a8a61565b909f199b1e"
        return answer

    # ------------------------------------------------------------------ kefu's side

    def account(self, name: str = "main") -> dict[str, Any]:
        """This bot as an entry of channels.yaml."""
        return {
            "channel": self.channel,
            "account": name,
            "app_id": APP_ID,
            "secret": SECRET,
            "api_url": self.url,
            "token_url": f"{self.url}/app/getAppAccessToken",
            "private_media": self.hosts,
        }

    async def connect(self, kefu_url: str, name: str = "main") -> None:
        """Save the callback address in the console, which checks it (op 13).

        Raises:
            ConnectionError: Who lives there could not prove that it knows the secret.
        """
        self.webhook.url = f"{kefu_url}/hooks/qq/{name}"
        is_ours, push = await self.webhook.check(CHECK_TOKEN, self.clock())
        if not is_ours:
            raise ConnectionError(f"the callback address was not verified: {push[0]}")

    def revokes_tokens(self) -> None:
        """Make every token invalid before its time."""
        self.state.tokens.clear()

    # ------------------------------------------------------------------ the customer's side

    def peer(self, user: str, group: str | None = None) -> Peer:
        """Where a conversation is, as the API names it."""
        if group is None:
            return USERS, openid("user", user)
        return GROUPS, openid("group", group)

    def user_openid(self, user: str, group: str | None = None) -> str:
        """A customer's openid: another one in each group."""
        return openid("user" if group is None else openid("group", group), user)

    async def says(
        self,
        user: str,
        text: str,
        *,
        group: str | None = None,
        mentions: bool = True,
        times: int = 1,
    ) -> str:
        """A customer writes.

        What does not mention the bot in a group is not delivered at all, unless the bot reads
        everything there.
        """
        message_id, author = self.state.new_id(), self.user_openid(user, group)
        if group is None:
            d = events.c2c_message(message_id, author, text, self.clock())
            await self._happens("C2C_MESSAGE_CREATE", d, self.peer(user), times=times)
            return message_id
        d = events.group_message(
            message_id,
            openid("group", group),
            author,
            text,
            self.clock(),
            bot=BOT_OPENID,
            mentions=mentions,
        )
        if mentions or self.reads_all:
            kind = "GROUP_MESSAGE_CREATE" if self.reads_all else "GROUP_AT_MESSAGE_CREATE"
            await self._happens(kind, d, self.peer(user, group), times=times)
        return message_id

    async def sends_media(
        self, user: str, kind: str, content: bytes, *, name: str = "", mime: str = ""
    ) -> str:
        """A customer sends a file; what is in it stands behind an address of ours."""
        defaults = {"image": "image/png", "voice": "voice", "video": "video/mp4", "file": "file"}
        served = f"{self.state.number():06d}-{name or kind}"
        real = mime or {"image": "image/png", "voice": "audio/wav", "video": "video/mp4"}.get(
            kind, "application/octet-stream"
        )
        self.state.served[served] = File(USERS, 0, content, name, real, self.clock())
        url = f"{self.url}/media/{served}"
        attachment = events.attachment(
            mime if kind == "image" and mime else defaults[kind],
            name or f"{served}.bin",
            len(content),
            url.partition("://")[2] if self.bare_urls else url,
            transcript="我的卡密用不了" if kind == "voice" else "",
        )
        return await self.sends_attachments(user, "", [attachment])

    async def sends_attachments(self, user: str, text: str, attachments: list[Json]) -> str:
        """A customer sends files, with words or without."""
        message_id = self.state.new_id()
        d = events.c2c_message(message_id, self.user_openid(user), text, self.clock(), attachments)
        await self._happens("C2C_MESSAGE_CREATE", d, self.peer(user))
        return message_id

    async def presses(
        self, user: str, label: str, *, group: str | None = None, times: int = 1
    ) -> str:
        """A customer presses a callback button of the newest message that has it."""
        peer = self.peer(user, group)
        for sent in reversed(self.state.sent):
            rows = (sent.body.get("keyboard") or {}).get("content", {}).get("rows", [])
            for button in (one for row in rows for one in row["buttons"]):
                if sent.peer == peer and button["render_data"]["label"] == label:
                    return await self._press(user, group, button, times)
        raise AssertionError(f"no button {label}")

    async def _press(self, user: str, group: str | None, button: Json, times: int) -> str:
        interaction_id = self.state.new_uuid()
        self.state.acknowledged[interaction_id] = None
        peer, author = self.peer(user, group), self.user_openid(user, group)
        d = events.press(interaction_id, peer, author, button, self.clock(), app_id=APP_ID)
        await self._happens("INTERACTION_CREATE", d, peer, times=times)
        return interaction_id

    async def arrives(self, user: str, payload: str = "") -> str:
        """A customer adds the bot; ``payload`` is that of the link they came by."""
        author = self.user_openid(user)
        self.state.strangers.discard(author)
        return await self._happens(
            "FRIEND_ADD", events.friend(author, self.clock(), payload), self.peer(user)
        )

    async def leaves(self, user: str) -> str:
        """A customer removes the bot."""
        author = self.user_openid(user)
        self.state.strangers.add(author)
        return await self._happens(
            "FRIEND_DEL", events.friend(author, self.clock()), self.peer(user)
        )

    async def pushes_allowed(self, user: str, *, allowed: bool) -> str:
        """A customer turns the switch of messages out of the blue."""
        author = self.user_openid(user)
        (self.state.refusers.discard if allowed else self.state.refusers.add)(author)
        kind = "C2C_MSG_RECEIVE" if allowed else "C2C_MSG_REJECT"
        return await self._happens(kind, events.friend(author, self.clock()), self.peer(user))

    async def group_changes(self, group: str, member: str, kind: str) -> str:
        """GROUP_ADD_ROBOT, GROUP_DEL_ROBOT, GROUP_MSG_REJECT or GROUP_MSG_RECEIVE."""
        where = openid("group", group)
        if kind == "GROUP_ADD_ROBOT":
            self.state.left_groups.discard(where)
        if kind == "GROUP_DEL_ROBOT":
            self.state.left_groups.add(where)
        d = events.group_change(where, self.user_openid(member, group), self.clock())
        return await self._happens(kind, d, self.peer(member, group))

    async def reviews(self, audit_id: str, *, passes: bool) -> str:
        """People have looked at a message that waited for them."""
        sent = self.state.audits.pop(audit_id)
        if passes:
            self.state.sent.append(sent)
        kind = "MESSAGE_AUDIT_PASS" if passes else "MESSAGE_AUDIT_REJECT"
        d = events.audit(audit_id, sent.id if passes else "", self.clock())
        return await self._happens(kind, d, sent.peer)

    async def pushes_unknown(self, kind: str = "GROUP_MEMBER_DANCE") -> str:
        """Something happens that nobody has documented."""
        return await self._happens(kind, {"whatever": ["new"]}, (USERS, ""))

    async def replays(self, key: str) -> None:
        """Deliver a message or an event once more: the same body, signed anew."""
        await self._deliver(self.state.pushed[key])

    def shown(self, user: str, *, group: str | None = None) -> list[Shown]:
        """What a customer, or a group, sees of the bot."""
        return self.state.shown(self.peer(user, group))

    # ------------------------------------------------------------------ pushing

    async def _happens(self, kind: str, d: Json, peer: Peer, *, times: int = 1) -> str:
        """Push an event; its own id."""
        event_id = f"{kind}:{self.state.new_uuid()}"
        envelope = events.envelope(kind, event_id, d, self.state.number())
        is_message = kind.endswith("MESSAGE_CREATE")
        anchor_id = str(d["id"]) if is_message else event_id
        self.state.anchors[anchor_id] = Anchor(peer, kind, self.clock())
        self.state.pushed[anchor_id] = envelope
        if kind == "INTERACTION_CREATE":
            self.state.pushed[str(d["id"])] = envelope
        self.changed()
        for _ in range(times):
            await self._deliver(envelope)
        return event_id

    async def _deliver(self, envelope: Json) -> None:
        if not self.webhook.url:
            return
        self.pushes += await self.webhook.deliver(envelope, self.clock())
        self.changed()


def _peer(request: web.Request) -> Peer:
    return request.match_info["scope"], request.match_info["openid"]


async def _json(request: web.Request) -> Json:
    try:
        found = json.loads(await request.read())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fault_error(fault: Fault) -> web.Response:
    status = int(fault.fields.get("status", 400))
    headers = {key: str(value) for key, value in fault.fields.items() if key == "Retry-After"}
    return web.json_response(error_body(fault.code), status=status, headers=headers)


__all__ = ["APP_ID", "BOT_OPENID", "CHECK_TOKEN", "SECRET", "FakeQQOpen"]
