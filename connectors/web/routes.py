"""The web chat's HTTP side: visitor tokens, the socket, uploads and pictures."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from connectors.errors import BadWebhook, NotStored
from connectors.media.http import read_request
from connectors.media.multipart import read_form_file
from connectors.media.store import MAX_IMAGE_BYTES, BadFile
from connectors.web import frames, wording
from connectors.web.chat import WebChat
from connectors.web.frames import MAX_TEXT_CHARS
from connectors.web.page import Page

log = structlog.get_logger(__name__)

MAX_FRAME_BYTES = 64 * 1024
"""10,000 characters, escaped, must still get a friendly answer; more closes the socket (1009)."""
MAX_VISIT_BYTES = 4096
TOKEN_INVALID = 4401
_STATUS = {
    "too_large": 413,
    "too_slow": 408,
    "not_an_image": 415,
    "customer_quota": 429,
    "source_quota": 429,
    "no_room": 507,
}


class WebRoutes:
    """The routes of the web chat, to be mounted at the server's root."""

    def __init__(self, chat: WebChat) -> None:
        self._chat = chat

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount at the server's root."""
        return [
            web.post("/widget/visitor", self.visitor),
            web.options("/widget/{tail:.*}", self.preflight),
            web.get("/widget/ws", self.socket),
            web.post("/widget/upload", self.upload),
            web.get("/widget/media/{id}", self.picture),
        ]

    @property
    def _site(self) -> str:
        return self._chat.connector.ref.account_id

    def _cors(self, request: web.Request) -> Mapping[str, str]:
        """Headers that let an embedding page read the answer; no cookie is ever involved."""
        origin = request.headers.get("Origin")
        if origin is None or not self._may_embed(request):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Max-Age": "86400",
            "Vary": "Origin",
        }

    def _may_embed(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        if origin is None or not self._chat.origins:
            return True
        return origin in self._chat.origins or origin.partition("://")[2] == request.host

    # ---------------------------------------------------------------- HTTP

    async def preflight(self, request: web.Request) -> web.Response:
        """Answer a browser's question before a cross-origin request."""
        return web.Response(status=204, headers=self._cors(request))

    async def visitor(self, request: web.Request) -> web.Response:
        """Give a browser a visitor's token, or renew the one it has."""
        if not self._may_embed(request):
            return self._refuse(request, 403, "origin")
        wait_s = self._chat.admission.visit(self._chat.sources_of(request))
        if wait_s > 0:
            return self._refuse(request, 429, "crowded", wait_s)
        try:
            body = _object(await read_request(request, MAX_VISIT_BYTES))
        except BadWebhook:
            return self._refuse(request, 413, "bad_frame")
        now = self._chat.clock()
        known = self._chat.signer.check(str(body.get("token") or ""), self._site, now)
        if known is not None:
            token, visitor = self._chat.signer.renew(known, self._site, now)
        else:
            token, visitor = self._chat.signer.new_visitor(self._site, now)
        greeting = self._chat.greeting("en" if body.get("locale") == "en" else "zh")
        return web.json_response(
            {
                "visitor_id": visitor.visitor_id,
                "token": token,
                "shop": {
                    "name": greeting.shop_name,
                    "hours_text": greeting.hours_text,
                    "open_now": greeting.is_open,
                },
                "welcome": {
                    "text": greeting.text,
                    "buttons": [{"id": key, "label": label} for key, label in greeting.buttons],
                },
                "limits": {"text_chars": MAX_TEXT_CHARS, "image_bytes": MAX_IMAGE_BYTES},
            },
            headers=self._cors(request),
        )

    async def upload(self, request: web.Request) -> web.Response:
        """Take one picture, checked by content."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        visitor_id = self._chat.signer.check(token, self._site, self._chat.clock())
        if visitor_id is None or not self._may_embed(request):
            return self._refuse(request, 401, "expired")
        sources = self._chat.sources_of(request)
        wait_s = self._chat.admission.start_upload(visitor_id, sources)
        if wait_s > 0:
            return self._refuse(request, 429, "upload_busy", wait_s)
        try:
            return await self._keep(request, visitor_id, sources)
        except BadFile as error:
            return self._refuse(request, _STATUS.get(error.code, 415), error.code)
        except (NotStored, OSError):
            return self._refuse(request, 503, "not_stored")
        finally:
            self._chat.admission.end_upload(visitor_id, sources)

    async def _keep(
        self, request: web.Request, visitor_id: str, sources: Sequence[str]
    ) -> web.Response:
        owner = self._chat.address_of(visitor_id).identity
        # twice: no more is read of what there is no room for, and its true size is known then
        await self._chat.make_room(owner, sources, request.content_length or 0)
        file = await read_form_file(request, MAX_IMAGE_BYTES)
        if file is None:
            raise BadFile("not_an_image")
        await self._chat.make_room(owner, sources, len(file.content))
        attachment = await asyncio.to_thread(self._chat.media.save, file.content, file.name)
        try:
            await self._chat.add_attachment(attachment, owner, sources)
        except NotStored:
            # nobody could ever ask for it
            await asyncio.to_thread(self._chat.media.remove, [attachment.id])
            raise
        body = frames.attachment_json(attachment, self._chat.media_url(attachment))
        return web.json_response(
            {"attachment_id": attachment.id, **body}, status=201, headers=self._cors(request)
        )

    def _may_see(self, key: str, signature: str) -> bool:
        return self._chat.signer.may_see_media(key, signature, self._chat.clock())

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """Show a picture to whoever holds its signed link."""
        key = request.match_info["id"]
        if not self._chat.signer.may_see_media(
            key, request.query.get("sig", ""), self._chat.clock()
        ):
            raise web.HTTPNotFound
        found = await asyncio.to_thread(self._head_of, key)
        if found is None:
            raise web.HTTPNotFound
        path, head = found
        return web.FileResponse(path, headers=picture_headers(head))

    def _head_of(self, key: str) -> tuple[Path, bytes] | None:
        """A file and its first bytes; ``None`` if there is none."""
        path = self._chat.media.path(key)
        if path is None:
            return None
        with path.open("rb") as content:
            return path, content.read(12)

    def _refuse(
        self, request: web.Request, status: int, code: str, wait_s: float | None = None
    ) -> web.Response:
        language = request.headers.get("Accept-Language", "")
        told: dict[str, Any] = {"code": code, "text": wording.error(code, language, wait_s or 0)}
        headers = dict(self._cors(request))
        if wait_s is not None:
            told["retry_after_s"] = math.ceil(wait_s)
            headers["Retry-After"] = str(math.ceil(wait_s))
        return web.json_response({"error": told}, status=status, headers=headers)

    # ---------------------------------------------------------------- the socket

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """One page's connection, from hello to goodbye."""
        visitor_id = self._chat.signer.check(
            request.query.get("token", ""), self._site, self._chat.clock()
        )
        sources = self._chat.sources_of(request)
        # before the handshake, and before anything is read from the database
        wait_s = self._chat.admission.connect(visitor_id, sources)
        if wait_s > 0:
            return self._refuse(request, 429, "crowded", wait_s)
        # a control frame of two bytes costs as much as any: pings are counted by the page as well
        wire = web.WebSocketResponse(
            max_msg_size=MAX_FRAME_BYTES, heartbeat=25, compress=False, autoping=False
        )
        if visitor_id is None or not self._may_embed(request):
            await wire.prepare(request)
            await wire.close(code=TOKEN_INVALID, message=b"token")
            return wire
        wait_s = self._chat.admission.open_page(visitor_id, sources)
        if wait_s > 0:
            return self._refuse(request, 429, "crowded", wait_s)
        try:
            await wire.prepare(request)
            last_seq = request.query.get("last_seq", "0")
            cursor = int(last_seq) if last_seq.isdecimal() and len(last_seq) < 10 else 0  # noqa: PLR2004 - seq is a 32-bit number
            await Page(self._chat, wire, visitor_id, cursor, sources=sources).run()
        finally:
            self._chat.admission.close_page(visitor_id, sources)
        return wire


def _object(body: bytes) -> dict[str, Any]:
    """A JSON object; empty for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


_SIGNS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def picture_headers(head: bytes) -> Mapping[str, str]:
    """Headers under which a stored picture can be nothing but a picture.

    Args:
        head: Its first 12 bytes.
    """
    mime = next((mime for sign, mime in _SIGNS.items() if head.startswith(sign)), "image/webp")
    return {
        "Content-Type": mime,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        # shared computers: a picture of a card must not lie in the browser's folder
        "Cache-Control": "private, no-store",
    }
