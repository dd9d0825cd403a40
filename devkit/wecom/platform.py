"""FakeWeComKF: WeCom customer service (微信客服) with one account and its customers in WeChat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from devkit.platform import (
    Clock,
    FakePlatform,
    Fault,
    Shown,
)
from devkit.wecom import items, rules
from devkit.wecom.api import Json, KfApi
from devkit.wecom.callbacks import Callbacks
from devkit.wecom.rules import Refusal, error_body
from devkit.wecom.state import Entry, Media, State

CORP_ID = "ww1234567890abcdef"
SECRET = "corp-secret-0123456789abcdefghijklmnopqrstu"
CALLBACK_TOKEN = "callbacktoken0123456789"
AES_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
OPEN_KFID = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"


class FakeWeComKF(FakePlatform):
    """One KF account.

    Faults of kind ``lost``, ``twice`` and ``late`` with method ``callback`` meet notices; a late
    one waits for ``deliver_late``.

    Attributes:
        page_size: sync_msg returns at most so many, whatever ``limit`` says.
        empty_pages: The next so many pages are empty, with ``has_more`` 1.
        tokenless_per_minute: How often sync_msg answers without a callback's token. The real
            number is not published ("strict").
        repeated_msgid_code: errcode for a msgid that was sent before.
        moves: What service_state/trans may do, by state.
    """

    channel = "wecom"

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.open_kfid = OPEN_KFID
        self.is_managed = True
        self.page_size = rules.MAX_PAGE
        self.empty_pages = 0
        self.tokenless_per_minute = 3
        self.repeated_msgid_code = rules.REPEATED_MSGID
        self.moves: Mapping[int, frozenset[int]] = dict(rules.MOVES)
        self.state = State()
        self.callbacks = Callbacks(CORP_ID, CALLBACK_TOKEN, AES_KEY)
        self.late: list[str] = []
        self._api = KfApi(self, self.state, self.clock, self._fail_later)
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ the server

    def application(self) -> web.Application:
        """The API under ``/cgi-bin``."""
        app = web.Application(client_max_size=32 << 20)
        methods: dict[str, Callable[[Json], Json]] = {
            "kf/sync_msg": self._api.sync_msg,
            "kf/send_msg": self._api.send_msg,
            "kf/send_msg_on_event": self._api.send_msg_on_event,
            "kf/service_state/get": self._api.state_get,
            "kf/service_state/trans": self._api.state_trans,
            "kf/customer/batchget": self._api.batchget,
            "kf/account/list": self._api.account_list,
        }
        for name, act in methods.items():
            app.router.add_post(f"/cgi-bin/{name}", self._json_handler(name, act))
        app.router.add_get("/cgi-bin/gettoken", self._gettoken)
        app.router.add_post("/cgi-bin/media/upload", self._upload)
        app.router.add_get("/cgi-bin/media/get", self._download)
        return app

    async def stop(self) -> None:
        """Hang up, and let no notice travel on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().stop()

    def _json_handler(self, name: str, act: Callable[[Json], Json]) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            try:
                body = json.loads(raw)
            except ValueError:
                body = {}
            self.record(name, body, request.headers)

            async def answer() -> web.StreamResponse:
                return self._answer(lambda: self._checked(request, raw, body, act))

            return await self.met_fault(request, name, body, answer, _fault_error)

        return handle

    def _checked(
        self, request: web.Request, raw: bytes, body: Json, act: Callable[[Json], Json]
    ) -> Json:
        self._check_access(request)
        if b"\\u" in raw:
            raise Refusal(rules.ESCAPED)
        return act(body)

    def _answer(self, act: Callable[[], Json]) -> web.Response:
        try:
            result = act()
        except Refusal as refusal:
            return web.json_response(error_body(refusal.code, refusal.detail))
        finally:
            self.changed()
        return web.json_response({"errcode": 0, "errmsg": "ok", **result})

    def _check_access(self, request: web.Request) -> None:
        token = request.query.get("access_token", "")
        if not token:
            raise Refusal(rules.NO_TOKEN)
        expires = self.state.access_tokens.get(token)
        if expires is None:
            raise Refusal(rules.BAD_TOKEN)
        if self.clock() >= expires:
            raise Refusal(rules.TOKEN_EXPIRED)

    # ------------------------------------------------------------------ tokens and files

    async def _gettoken(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.record("gettoken", query, request.headers)

        async def answer() -> web.StreamResponse:
            return self._answer(lambda: self._issue_token(query))

        return await self.met_fault(request, "gettoken", query, answer, _fault_error)

    def _issue_token(self, query: dict[str, str]) -> Json:
        if query.get("corpid") != CORP_ID:
            raise Refusal(rules.BAD_CORP)
        if query.get("corpsecret") != SECRET:
            raise Refusal(rules.BAD_SECRET)
        now, tokens = self.clock(), self.state.access_tokens
        valid = [token for token, expires in tokens.items() if now < expires]
        if not valid:
            valid = [f"accesstoken{self.state.number():06d}" + "x" * 48]
            tokens[valid[0]] = now + rules.ACCESS_TOKEN_LIFE
        left_s = int((tokens[valid[0]] - now).total_seconds())
        return {"access_token": valid[0], "expires_in": left_s}

    def revokes_tokens(self) -> None:
        """Make every access token invalid before its time."""
        self.state.access_tokens.clear()

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        kind = request.query.get("type", "")
        form = await request.post()
        part = form.get("media")
        self.record("media/upload", {"type": kind}, request.headers)

        def upload() -> Json:
            self._check_access(request)
            if kind not in rules.MEDIA_BYTES or not isinstance(part, web.FileField):
                raise Refusal(rules.BAD_MEDIA_KIND)
            file = part.file.read()
            if not 5 < len(file) <= rules.MEDIA_BYTES[kind]:
                raise Refusal(rules.BAD_MEDIA_SIZE)
            if kind == "image" and not file.startswith((b"\x89PNG", b"\xff\xd8\xff")):
                raise Refusal(rules.BAD_MEDIA_KIND)
            media = Media(kind, file, part.filename, part.content_type, self.clock())
            created = str(int(self.clock().timestamp()))
            return {"type": kind, "media_id": self.state.new_media(media), "created_at": created}

        async def answer() -> web.StreamResponse:
            return self._answer(upload)

        return await self.met_fault(request, "media/upload", {"type": kind}, answer, _fault_error)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        query = {"media_id": request.query.get("media_id", "")}
        self.record("media/get", query, request.headers)

        async def answer() -> web.StreamResponse:
            try:
                self._check_access(request)
                media = self._media(query["media_id"])
            except Refusal as refusal:
                return web.json_response(error_body(refusal.code, refusal.detail))
            headers = {"Content-Disposition": f'attachment; filename="{media.name}"'}
            return web.Response(body=media.content, content_type=media.mime, headers=headers)

        return await self.met_fault(request, "media/get", query, answer, _fault_error)

    def _media(self, media_id: str) -> Media:
        media = self.state.media.get(media_id)
        if media is None or self.clock() - media.at > rules.MEDIA_LIFE:
            raise Refusal(rules.BAD_MEDIA)
        return media

    # ------------------------------------------------------------------ kefu's side

    def account(self, name: str = "main") -> dict[str, Any]:
        """This account as an entry of channels.yaml."""
        return {
            "channel": self.channel,
            "account": name,
            "corp_id": CORP_ID,
            "secret": SECRET,
            "token": CALLBACK_TOKEN,
            "aes_key": AES_KEY,
            "open_kfid": self.open_kfid,
            "api_url": self.url,
            "repeated_msgid_codes": [self.repeated_msgid_code],
        }

    async def connect(self, kefu_url: str, name: str = "main") -> None:
        """Save the callback URL in the console, which verifies it.

        Raises:
            ConnectionError: The URL did not decrypt what it was asked to.
        """
        self.callbacks.url = f"{kefu_url}/hooks/wecom/{name}"
        if not await self.callbacks.verify("1616140317555161061", self.clock()):
            raise ConnectionError("the callback URL was not verified")

    # ------------------------------------------------------------------ the customer's side

    def external_userid(self, user: str) -> str:
        """How the platform calls a customer."""
        return user if user.startswith("wm") else f"wm{user}"

    async def says(
        self,
        user: str,
        text: str,
        *,
        group: str | None = None,
        mentions: bool = True,  # noqa: ARG002 - there are no groups here
        times: int = 1,
    ) -> str:
        """A customer writes; each delivery is an entry of the log and a notice."""
        assert group is None, "微信客服 has no groups"
        return await self._writes(user, "text", {"content": text}, times=times)

    async def sends_media(
        self, user: str, kind: str, content: bytes, *, name: str = "", mime: str = ""
    ) -> str:
        """A customer sends a file; what is too large arrives as a text that says so."""
        if len(content) > rules.MEDIA_BYTES[kind]:
            return await self._writes(user, "text", {"content": "[文件过大，请在手机上查看]"})
        defaults = {"image": "image/jpeg", "voice": "audio/amr", "video": "video/mp4"}
        mime = mime or defaults.get(kind, "application/octet-stream")
        media = Media(kind, content, name or kind, mime, self.clock())
        return await self._writes(user, kind, {"media_id": self.state.new_media(media)})

    async def presses(self, user: str, label: str, *, times: int = 1) -> str:
        """A customer presses an item of a menu: it arrives as a text with the item's id."""
        for shown in reversed(self.shown(user)):
            for item in shown.raw.get("msgmenu", {}).get("list", []):
                click = item.get("click", {})
                if click.get("content") == label:
                    part = {"content": label, "menu_id": click.get("id", "")}
                    return await self._writes(user, "text", part, times=times)
        raise AssertionError(f"no button {label}")

    async def _writes(self, user: str, kind: str, part: Json, *, times: int = 1) -> str:
        now, customer = self.clock(), self.external_userid(user)
        session = self.state.session(customer)
        session.refuses = False
        session.wrote(now)
        msgid = f"from_msgid_{self.state.number():04d}"
        item = items.message(self.open_kfid, customer, msgid=msgid, at=now, kind=kind, part=part)
        for _ in range(times):
            await self.logs(item)
        return msgid

    async def arrives(self, user: str, payload: str = "") -> str:
        """A customer opens the chat; ``payload`` is the link's scene_param."""
        now, session = self.clock(), self.state.session(self.external_userid(user))
        session.refuses = False
        fields: Json = {"scene": "123", "scene_param": payload}
        lately = [at for at in (session.wrote_at, session.welcomed_at) if at is not None]
        if all(now - at > rules.WINDOW for at in lately):
            code = self.state.new_code("welcome", session.external_userid, now)
            fields["welcome_code"] = code
        return await self._happens(user, "enter_session", **fields)

    async def leaves(self, user: str) -> str:
        """A customer refuses the account's messages; nobody is told until one is sent."""
        self.state.session(self.external_userid(user)).refuses = True
        return ""

    async def recalls(self, user: str, msgid: str) -> str:
        """A customer takes a message back."""
        return await self._happens(user, "user_recall_msg", recall_msgid=msgid)

    async def replays(self, key: str) -> None:
        """The log gives a message once more."""
        item = next(entry.item for entry in self.state.log if entry.item["msgid"] == key)
        await self.logs(dict(item))

    def shown(self, user: str, *, group: str | None = None) -> list[Shown]:
        """What a customer sees of the shop, people's answers included."""
        assert group is None, "微信客服 has no groups"
        return list(self.state.session(self.external_userid(user)).shown)

    # ------------------------------------------------------------------ people in WeCom

    async def native_reply(self, user: str, text: str, servicer: str = "zhangsan") -> str:
        """A person answers in the WeCom app; whoever is not with a person is taken over."""
        now, session = self.clock(), self.state.session(self.external_userid(user))
        if session.state != rules.HUMAN:
            from_pool = session.state == rules.POOL
            session.state, session.servicer = rules.HUMAN, servicer
            await self._changes(user, rules.TAKEN if from_pool else rules.REOPENED, "taken")
        msgid = f"native_msgid_{self.state.number():04d}"
        customer = session.external_userid
        item = items.native(
            self.open_kfid, customer, msgid=msgid, at=now, servicer=servicer, text=text
        )
        session.shown.append(Shown(text, raw=item))
        await self.logs(item)
        return msgid

    async def ends_natively(self, user: str) -> str:
        """A person ends the session in the WeCom app."""
        session = self.state.session(self.external_userid(user))
        session.state, session.servicer = rules.ENDED, ""
        return await self._changes(user, rules.FINISHED, "end")

    async def _changes(self, user: str, change: int, code_kind: str) -> str:
        session = self.state.session(self.external_userid(user))
        code = self.state.new_code(code_kind, session.external_userid, self.clock())
        return await self._happens(
            user,
            "session_status_change",
            change_type=change,
            old_servicer_userid="",
            new_servicer_userid=session.servicer,
            msg_code=code,
        )

    # ------------------------------------------------------------------ the log and its notices

    async def _happens(self, user: str, kind: str, **fields: Any) -> str:
        msgid = f"event_msgid_{self.state.number():04d}"
        customer = self.external_userid(user)
        await self.logs(
            items.event(self.open_kfid, customer, msgid=msgid, at=self.clock(), kind=kind, **fields)
        )
        return msgid

    async def logs(self, item: Json) -> None:
        """Add an entry to the log and tell kefu that there is one."""
        self.state.log.append(Entry(self.clock(), item))
        self.changed()
        token = f"ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra{self.state.number():06d}"
        self.state.callback_tokens[token] = self.clock()
        fault = self.fault_of("callback", item)
        if fault is not None and fault.kind == "late":
            self.late.append(token)
        if fault is None or fault.kind == "twice":
            for _ in range(2 if fault else 1):
                await self.notifies(token)

    async def deliver_late(self) -> None:
        """Deliver the notices that were held back."""
        while self.late:
            await self.notifies(self.late.pop(0))

    async def notifies(self, token: str, open_kfid: str | None = None) -> None:
        """Post one notice, until it is accepted or given up; nothing without a URL."""
        if not self.callbacks.url:
            return
        now = self.clock()
        inner = self.callbacks.notice(token, open_kfid or self.open_kfid, now)
        self.pushes += await self.callbacks.post(*self.callbacks.sealed(inner, now))
        self.changed()

    def _fail_later(self, external_userid: str, msgid: str, fail_type: int) -> None:
        """After errcode 0 came the event, as the platform does it."""
        told = self._happens(
            external_userid, "msg_send_fail", fail_msgid=msgid, fail_type=fail_type
        )
        task = asyncio.create_task(_only(told))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _only(doing: Any) -> None:
    await doing


def _fault_error(fault: Fault) -> web.Response:
    return web.json_response({**error_body(fault.code), **fault.fields})


__all__ = ["AES_KEY", "CALLBACK_TOKEN", "CORP_ID", "OPEN_KFID", "SECRET", "FakeWeComKF"]
