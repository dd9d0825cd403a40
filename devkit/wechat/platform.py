"""The Official Account itself: its API server, its pushes and its customers.

What is kept: signatures and seals of all three modes, five seconds for an answer and redelivery of
the same MsgId, reply quotas by trigger, token lives, the byte limit of texts, and that a
customer reads an apology where an account answers nonsense or nothing.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from devkit.platform import (
    Clock,
    FakePlatform,
    Fault,
    Shown,
)
from devkit.wechat import payloads
from devkit.wechat.api import (
    Api,
    Json,
    Media,
    read_json,
)
from devkit.wechat.envelope import Envelope, Malformed
from devkit.wechat.payloads import Fields
from devkit.wechat.people import Person, openid_of
from devkit.wechat.rules import (
    ERRORS,
    UNAVAILABLE,
    Refused,
    Rules,
)

APP_ID = "wx1234567890abcdef"
APP_SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "wechattoken0123456789"
AES_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
ORIGINAL_ID = "gh_0123456789ab"
REPLIES = {"text", "image", "voice", "video", "music", "news"}


class FakeWeChatOA(FakePlatform):
    """One Official Account.

    Args:
        mode: ``plain``, ``compat`` or ``safe``: how pushes are sealed.
        is_verified: Else it may answer passively only (48001).
        rules: The platform's numbers.

    Attributes:
        api: Its state: people, tokens, media, menu.
        hook_url: Where it pushes to; empty before ``connect``.
        pushed: Each message's fields by the key that ``says`` gave back.
    """

    channel = "wechat"

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        mode: str = "safe",
        is_verified: bool = True,
        rules: Rules | None = None,
    ) -> None:
        super().__init__(clock)
        self.rules = rules or Rules()
        self.api = Api(APP_ID, APP_SECRET, self.clock, self.rules, self.changed)
        self.api.is_verified = is_verified
        self.envelope = Envelope(TOKEN, AES_KEY, APP_ID, mode)
        self.hook_url = ""
        self.pushed: dict[str, Fields] = {}
        self._message_ids = itertools.count(24_000_000_000_000_001)
        self._http: ClientSession | None = None

    # ------------------------------------------------------------------ the server

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/cgi-bin/{method:.+}", self._call)
        app.router.add_get("/pic/{media_id}", self._picture)
        app.router.add_get("/video/{media_id}", self._picture)
        return app

    async def stop(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None
        await super().stop()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        raw = await request.read() if request.content_type != "multipart/form-data" else b""
        parameters: dict[str, Any] = dict(request.query)
        refusal: int | None = None
        try:
            parameters |= read_json(raw) if raw else {}
        except Refused as refused:
            refusal = refused.code
        self.record(method, parameters, dict(request.headers))

        async def act() -> web.StreamResponse:
            if refusal is not None:
                return _error(refusal)
            try:
                return _answer(await self._act(request, method, parameters))
            except Refused as refused:
                return _error(refused.code)

        return await self.met_fault(
            request, method, parameters, act, lambda fault: _error(fault.code, fault)
        )

    async def _act(self, request: web.Request, method: str, sent: Json) -> Json | Media:
        if method not in {"token", "stable_token"}:
            self.api.tokens.check(request.query.get("access_token", ""))
        is_get = method in {"token", "user/info", "media/get"}
        if is_get and request.method != "GET":
            raise Refused(43001)
        if not is_get and request.method != "POST":
            raise Refused(43002)
        match method:
            case "token":
                return self.api.token(request.query)
            case "stable_token":
                return self.api.stable_token(sent)
            case "message/custom/send":
                return self.api.send(sent)
            case "message/custom/typing":
                return self.api.typing(sent)
            case "menu/create":
                return self.api.create_menu(sent)
            case "user/info":
                return self.api.user_info(request.query.get("openid", ""))
            case "media/upload":
                return await self._upload(request)
            case "media/get":
                return self._download(request.query.get("media_id"))
        raise web.HTTPNotFound

    async def _upload(self, request: web.Request) -> Json:
        form = await request.post() if request.content_type == "multipart/form-data" else {}
        part = form.get("media")
        kind = request.query.get("type", "")
        if not isinstance(part, web.FileField):
            return self.api.upload(kind, "", "", None)
        return self.api.upload(kind, part.filename, part.content_type, part.file.read())

    def _download(self, media_id: str | None) -> Json | Media:
        if not media_id:
            raise Refused(41006)
        media = self.api.stored(media_id)
        # a video is not sent: its address is told
        if media.kind == "video":
            return {"video_url": f"{self.url}/video/{media_id}"}
        return media

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        media = self.api.media.get(request.match_info["media_id"])
        if media is None:
            raise web.HTTPNotFound
        return web.Response(body=media.content, content_type=media.mime)

    # ------------------------------------------------------------------ kefu's side

    def account(self, name: str = "main") -> dict[str, Any]:
        entry: dict[str, Any] = {
            "channel": "wechat",
            "account": name,
            "app_id": APP_ID,
            "app_secret": APP_SECRET,
            "token": TOKEN,
            "encoding_aes_key": AES_KEY,
            "encryption": self.envelope.mode,
            "api_url": self.url,
            "private_media": self.hosts,
        }
        if self.api.is_verified:
            return entry
        answer_s = self.rules.answer_s
        return {
            **entry,
            "replies": "passive",
            "deliveries": self.rules.deliveries,
            "platform_timeout_s": answer_s,
            "answer_within_s": answer_s / 2,
            "gather_s": min(answer_s / 8, 0.1),
        }

    async def connect(self, kefu_url: str, name: str = "main") -> None:
        """Save the server settings; the address is verified first.

        Raises:
            RuntimeError: kefu did not give the ``echostr`` back.
        """
        url = f"{kefu_url.rstrip('/')}/hooks/wechat/{name}"
        echo = "5161239046321295842"
        query = self.envelope.query(self._now_s()) | {"echostr": echo}
        async with self._client().get(url, params=query) as answer:
            if answer.status != 200 or await answer.text() != echo:
                raise RuntimeError("token验证失败")
        self.hook_url = url

    # ------------------------------------------------------------------ the customer's side

    def person(self, user: str) -> Person:
        """A customer; strangers are followers of long ago."""
        openid = openid_of(user)
        return self.api.people.setdefault(openid, Person(openid))

    async def says(
        self,
        user: str,
        text: str,
        *,
        group: str | None = None,
        mentions: bool = True,
        times: int = 1,
    ) -> str:
        assert group is None, "Official Accounts have no groups"
        assert mentions
        return await self.sends(user, payloads.text(text), times=times)

    async def sends(self, user: str, fields: Fields, *, times: int = 1) -> str:
        """A customer sends any message (``payloads``)."""
        person = self.person(user)
        is_menu = "bizmsgmenuid" in fields
        self._allow(person, "click" if is_menu else "message")
        person.last_message_at = self.clock()
        message_id = next(self._message_ids)
        whole = {**self._head(person), **fields, "MsgId": message_id}
        return await self._push(str(message_id), whole, times)

    async def sends_media(
        self, user: str, kind: str, content: bytes, *, name: str = "", mime: str = ""
    ) -> str:
        if kind == "file":
            return await self.sends(user, payloads.file(name, len(content)))
        defaults = {"image": "image/jpeg", "voice": "audio/amr", "video": "video/mp4"}
        media = self.api.keep(kind, name or f"{kind}.bin", mime or defaults[kind], content)
        if kind == "image":
            url = f"{self.url}/pic/{media.media_id}"
            return await self.sends(user, payloads.image(media.media_id, url))
        if kind == "voice":
            return await self.sends(user, payloads.voice(media.media_id))
        thumb = self.api.keep("thumb", "thumb.jpg", "image/jpeg", b"\xff\xd8thumb")
        return await self.sends(user, payloads.video(media.media_id, thumb.media_id))

    async def presses(self, user: str, label: str, *, times: int = 1) -> str:
        """Tap an entry of the newest message menu with this label: it comes as a text.

        Raises:
            LookupError: There is none.
        """
        entries = [entry for entry in self.person(user).menus if entry[1] == label]
        if not entries:
            raise LookupError(label)
        return await self.sends(user, payloads.text(label, entries[-1][0]), times=times)

    async def arrives(self, user: str, payload: str = "") -> str:
        """Follow, by search or by a QR code with a scene."""
        person = self.person(user)
        person.follows, person.followed_at = True, self.clock()
        self._allow(person, "subscribe")
        if payload:
            return await self._happens(person, "subscribe", f"qrscene_{payload}", Ticket="gQH47zw")
        return await self._happens(person, "subscribe", "")

    async def leaves(self, user: str) -> str:
        person = self.person(user)
        person.leave()
        return await self._happens(person, "unsubscribe", "")

    async def scans(self, user: str, scene: str) -> str:
        """A follower scans a QR code of ours."""
        person = self.person(user)
        self._allow(person, "scan")
        return await self._happens(person, "SCAN", scene, Ticket="gQH47zw")

    async def clicks_menu(self, user: str, key: str, *, times: int = 1) -> str:
        """A customer opens an entry of the account menu."""
        person = self.person(user)
        self._allow(person, "click")
        return await self._happens(person, "CLICK", key, times=times)

    async def happens(self, user: str, fields: Fields) -> str:
        """Any other event (``payloads.event``); it allows nothing."""
        whole = {**self._head(self.person(user)), **fields}
        return await self._push(f"{fields['Event']}-{len(self.pushed)}", whole, 1)

    async def replays(self, key: str) -> None:
        await self._deliver(self.pushed[key])

    def shown(self, user: str, *, group: str | None = None) -> list[Shown]:
        assert group is None, "Official Accounts have no groups"
        return list(self.person(user).seen)

    # ------------------------------------------------------------------ pushing

    def _head(self, person: Person) -> dict[str, str | int]:
        return {
            "ToUserName": ORIGINAL_ID,
            "FromUserName": person.openid,
            "CreateTime": self._now_s(),
        }

    async def _happens(
        self, person: Person, name: str, key: str, *, times: int = 1, **more: str
    ) -> str:
        fields = {**self._head(person), **payloads.event(name, key, **more)}
        return await self._push(f"{name}-{len(self.pushed)}", fields, times)

    def _allow(self, person: Person, trigger: str) -> None:
        rules = self.rules
        count, window = rules.event_replies, rules.event_window
        if trigger == "message":
            count, window = rules.message_replies, rules.message_window
        person.allow(trigger, count, self.clock(), window)

    async def _push(self, key: str, fields: Fields, times: int) -> str:
        self.pushed[key] = fields
        for _ in range(times):
            await self._deliver(fields)
        return key

    async def _deliver(self, fields: Fields) -> None:
        """Push until it is answered, at most as often as the rules say."""
        assert self.hook_url, "connect() first"
        person = self.api.people[str(fields["FromUserName"])]
        for _ in range(self.rules.deliveries):
            body = await self._try(fields)
            if body is not None:
                self._show_reply(person, body)
                return
        self._apologise(person)

    async def _try(self, fields: Fields) -> str | None:
        query, xml = self.envelope.push(fields, self._now_s())
        timeout = ClientTimeout(total=self.rules.answer_s)
        status: int | None = None
        body = ""
        try:
            async with self._client().post(
                self.hook_url,
                params=query,
                data=xml.encode(),
                headers={"Content-Type": "text/xml"},
                timeout=timeout,
            ) as answer:
                status, body = answer.status, await answer.text()
        except (ClientError, TimeoutError):
            status = None
        self.pushes.append((status, body))
        self.changed()
        return body if status == 200 else None

    def _show_reply(self, person: Person, body: str) -> None:
        try:
            reply = self.envelope.read_reply(body)
            if reply is not None:
                person.seen.append(self._read(person, reply))
                self.changed()
        except (Malformed, Refused):
            self._apologise(person)

    def _read(self, person: Person, reply: Mapping[str, Any]) -> Shown:
        names = (reply.get("ToUserName"), reply.get("FromUserName"))
        kind = reply.get("MsgType")
        stamp = str(reply.get("CreateTime", ""))
        if names != (person.openid, ORIGINAL_ID) or kind not in REPLIES or not stamp.isdigit():
            raise Malformed("not a reply to this message")
        if kind == "text":
            return Shown(self.api.displayed(self.api.sized(reply.get("Content"))), raw=reply)
        if kind in {"image", "voice", "video"}:
            media = self.api.stored(reply[kind.title()]["MediaId"])
            return Shown(kind=kind, content=media.content, raw=reply)
        return Shown(kind=str(kind), raw=reply)

    def _apologise(self, person: Person) -> None:
        person.seen.append(Shown(UNAVAILABLE, raw={"notice": True}))
        self.changed()

    def _client(self) -> ClientSession:
        if self._http is None:
            self._http = ClientSession()
        return self._http

    def _now_s(self) -> int:
        return int(self.clock().timestamp())


def _answer(result: Json | Media) -> web.Response:
    if isinstance(result, Media):
        disposition = {"Content-disposition": f'attachment; filename="{result.name}"'}
        return web.Response(body=result.content, content_type=result.mime, headers=disposition)
    # much of the platform labels its JSON as plain text
    text = json.dumps(result, ensure_ascii=False)
    return web.Response(text=text, content_type="text/plain")


def _error(code: int, fault: Fault | None = None) -> web.Response:
    text = f"{ERRORS.get(code, 'error')} rid: 6a0b1c2d-3e4f5a6b-7c8d9e0f"
    more = dict(fault.fields) if fault is not None else {}
    return _answer({"errcode": code, "errmsg": text, **more})


__all__ = ["AES_KEY", "APP_ID", "APP_SECRET", "ORIGINAL_ID", "TOKEN", "FakeWeChatOA"]
