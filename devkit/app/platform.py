"""The shop's app server: it signs what its users say, and shows them what kefu posts."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from connectors.app import signing
from connectors.errors import BadWebhook
from devkit.platform import (
    Clock,
    FakePlatform,
    Fault,
    Shown,
)

SECRET = "a-secret-of-the-test-shop"
MAX_SKEW_S = 300.0


class FakeShopApp(FakePlatform):
    """One app.

    Attributes:
        contacts: What the shop vouches for, by user.
        deliveries: How often an event is sent until kefu takes it.
        refused: Requests of kefu whose signature did not fit.
        sees_typing: Users who saw somebody type.
    """

    channel = "app"

    def __init__(self, clock: Clock | None = None, *, deliveries: int = 3) -> None:
        super().__init__(clock)
        self.secret = SECRET
        self.deliveries = deliveries
        self.contacts: dict[str, list[str]] = {}
        self.gone: set[str] = set()
        self.refused: list[str] = []
        self.sees_typing: list[str] = []
        self.sent: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._hook = ""
        self._seen: set[str] = set()
        self._shown: dict[str, list[Shown]] = {}
        self._offers: dict[str, list[tuple[str, str]]] = {}
        self._numbers = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    # ------------------------------------------------------------------ the server

    def application(self) -> web.Application:
        """Where kefu posts to."""
        application = web.Application()
        application.router.add_post("/kefu", self._webhook)
        return application

    async def stop(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()
        await super().stop()

    def account(self, name: str = "main") -> dict[str, Any]:
        """This app as an entry of channels.yaml."""
        return {
            "channel": "app",
            "account": name,
            "secret": self.secret,
            "webhook_url": f"{self.url}/kefu",
            "private_media": self.hosts,
            "typing": True,
        }

    async def connect(self, kefu_url: str, name: str = "main") -> None:
        """Remember where kefu is."""
        self._hook = f"{kefu_url}/hooks/app/{name}"

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            signing.verify(
                [SecretStr(self.secret)],
                request.headers,
                body,
                self.clock(),
                max_skew_s=MAX_SKEW_S,
            )
        except BadWebhook as error:
            self.refused.append(str(error))
            return web.Response(status=401)
        frame = json.loads(body)
        self.record("webhook", frame, dict(request.headers))

        async def act() -> web.Response:
            return await self._takes(frame)

        return await self.met_fault(request, "webhook", frame, act, _error)

    async def _takes(self, frame: Mapping[str, Any]) -> web.Response:
        user = str(frame["user"]["id"])
        if user in self.gone:
            return web.json_response({"error": "user_gone"}, status=410)
        if frame["type"] == "typing":
            self.sees_typing.append(user)
            return web.Response(status=204)
        if frame["id"] not in self._seen:
            self._seen.add(frame["id"])
            await self._show(user, frame)
        self.changed()
        return web.json_response({"ok": True})

    async def _show(self, user: str, frame: Mapping[str, Any]) -> None:
        lines = self._shown.setdefault(user, [])
        buttons = [(one["token"], one["label"]) for one in frame["buttons"]]
        if buttons:
            self._offers[user] = buttons
        if frame["text"]:
            labels = tuple(label for _, label in buttons)
            lines.append(Shown(frame["text"], buttons=labels, raw=frame))
        for file in frame["attachments"]:
            content = await self._download(file["url"])
            lines.append(Shown(kind=file["kind"], content=content, raw=frame))

    async def _download(self, url: str) -> bytes | None:
        try:
            async with self._http().get(url) as answer:
                return await answer.read() if answer.status == 200 else None
        except aiohttp.ClientError:
            return None

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    # ------------------------------------------------------------------ the users

    async def says(
        self,
        user: str,
        text: str,
        *,
        group: str | None = None,
        mentions: bool = True,
        times: int = 1,
    ) -> str:
        """A user writes; there are no groups in an app."""
        assert group is None
        assert mentions
        return await self._tells(user, times=times, text=text)

    async def sends_media(
        self, user: str, kind: str, content: bytes, *, name: str = "", mime: str = ""
    ) -> str:
        """A user sends a file, inside the message."""
        data = base64.b64encode(content).decode()
        file = {"kind": kind, "data_base64": data, "name": name, "mime": mime}
        return await self._tells(user, attachments=[file])

    async def presses(self, user: str, label: str, *, times: int = 1) -> str:
        """A user presses one of the newest buttons."""
        token = next(key for key, one in self._offers[self.user_id(user)] if one == label)
        return await self._tells(user, times=times, type="button", button=token)

    async def arrives(self, user: str, payload: str = "") -> str:
        """A user opens the chat."""
        self.gone.discard(self.user_id(user))
        return await self._tells(user, type="start", text=payload)

    async def leaves(self, user: str) -> str:
        """A user closes their account."""
        self.gone.add(self.user_id(user))
        return await self._tells(user, type="leave")

    async def replays(self, key: str) -> None:
        """The app sends an event once more, byte for byte."""
        body, headers = self.sent[key]
        await self._post(body, headers)

    def shown(self, user: str, *, group: str | None = None) -> list[Shown]:
        """What this user sees."""
        assert group is None
        return list(self._shown.get(self.user_id(user), ()))

    @staticmethod
    def user_id(user: str) -> str:
        """The shop's own id of a user: ASCII."""
        return user if user.isascii() else f"u{user.encode().hex()}"

    async def _tells(self, user: str, *, times: int = 1, **fields: Any) -> str:
        key = f"a{next(self._numbers)}"
        frame = {
            "id": key,
            "type": "message",
            "user": {
                "id": self.user_id(user),
                "name": user,
                "contacts": self.contacts.get(user, []),
            },
            "at": self.clock().isoformat(),
            **fields,
        }
        body = json.dumps(frame, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            **signing.headers(SecretStr(self.secret), body, self.clock()),
        }
        self.sent[key] = (body, headers)
        for _ in range(times):
            for _ in range(self.deliveries):
                if await self._post(body, headers):
                    break
        return key

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            async with self._http().post(self._hook, data=body, headers=headers) as answer:
                self.pushes.append((answer.status, await answer.text()))
                return answer.status == 202
        except aiohttp.ClientError as error:
            self.pushes.append((None, type(error).__name__))
            return False


def _error(fault: Fault) -> web.Response:
    headers = {str(key): str(value) for key, value in fault.fields.items()}
    return web.json_response({"error": "ordered"}, status=fault.code or 500, headers=headers)


__all__ = ["SECRET", "FakeShopApp"]
