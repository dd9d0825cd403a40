"""The rim of the server: odd requests, errors that slipped through, and headers on every answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from traceback import extract_tb
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web
from multidict import CIMultiDict

from bot.app.http.connections import SERVER_NAME, Connections
from bot.app.http.network import Network
from handoff.errors import StorageUnavailable

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HSTS = "max-age=31536000"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_CODES = {
    400: ("bad_request", "请求有误"),
    404: ("not_found", "没有这个地址"),
    405: ("method_not_allowed", "这个地址不支持这种请求"),
    408: ("too_slow", "发得太慢了，请再试一次"),
    413: ("too_large", "内容太大了"),
    415: ("unsupported", "不支持这种内容"),
}
_OF_THE_CLIENT = (UnicodeError, RecursionError, web.RequestPayloadError)
"""What only odd input makes our own code raise."""
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_FRAMES = 3


class Rim:
    """Stands round all routes.

    Args:
        connections: Told of every request, for their deadlines; ``None`` where nobody watches.
        public_url: Where the world reaches this server; an ``https`` one is kept to TLS.
    """

    def __init__(
        self, network: Network, connections: Connections | None, public_url: str | None
    ) -> None:
        self._network = network
        self._connections = connections
        self._public = urlsplit(public_url or "")

    def mount(self, application: web.Application) -> None:
        """Put it round an application, and headers on all that it answers."""

        @web.middleware
        async def rim(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.handle(request, handler)

        application.middlewares.append(rim)
        application.on_response_prepare.append(self.finish)

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, whatever happens, with something short."""
        if self._connections is not None:
            self._connections.began(request)
        try:
            return await handler(_readable(request))
        except web.HTTPException as error:
            if error.status < 400 or error.content_type == "application/json":  # noqa: PLR2004
                raise
            answer = _short(error.status, error.text if error.status >= 500 else None)  # noqa: PLR2004
            if hdrs.ALLOW in error.headers:
                answer.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
            return answer
        except StorageUnavailable as error:
            log.warning("request_without_storage", path=_path(request), error=type(error).__name__)
            return _short(503, "数据库暂时用不了，请稍后再试", code="storage_unavailable")
        except _OF_THE_CLIENT as error:
            log.info("odd_request", path=_path(request), error=type(error).__name__)
            return _short(400)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - the rim: what slips through is told in one line
            # no traceback: it may be a thousand lines, and hold what was sent
            log.error(
                "request_failed",
                method=request.method[:16],
                path=_path(request),
                error=type(error).__name__,
                at=_where(error),
            )
            return _short(500)
        finally:
            if self._connections is not None:
                self._connections.answered(request)

    async def finish(self, request: web.Request, response: web.StreamResponse) -> None:
        """Put on the headers that every answer has."""
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        # neither which server this is nor which version
        response.headers[hdrs.SERVER] = SERVER_NAME
        if self._is_kept_to_tls(request):
            response.headers.setdefault("Strict-Transport-Security", HSTS)

    def _is_kept_to_tls(self, request: web.Request) -> bool:
        """Tell whether the browser came by TLS, or to the host that is published with it."""
        if self._network.is_https(request):
            return True
        return self._public.scheme == "https" and request.host == self._public.netloc


def _readable(request: web.Request) -> web.Request:
    """The request with bytes that are no UTF-8 replaced in its headers.

    They arrive as half characters, which nothing can encode, compare or store. Browsers and old
    programs do send such headers (a cookie of another page, a ``Referer`` in GBK): they are read,
    not refused.
    """
    if not any(_HALF_CHARACTER.search(value) for value in request.headers.values()):
        return request
    cleaned = CIMultiDict(
        (name, _HALF_CHARACTER.sub("\ufffd", value)) for name, value in request.headers.items()
    )
    return request.clone(headers=cleaned)


def _short(status: int, text: str | None = None, *, code: str | None = None) -> web.Response:
    known = _CODES.get(status)
    if known is None:
        known = ("refused", "请求有误") if status < 500 else ("internal", "服务器出错了，已经记录")  # noqa: PLR2004
    detail = {"code": code or known[0], "message": text or known[1]}
    return web.json_response({"error": detail}, status=status)


def _path(request: web.Request) -> str:
    return request.path[:120]


def _where(error: Exception) -> str:
    """The innermost frames, as ``file:line`` each."""
    frames = extract_tb(error.__traceback__, limit=-_FRAMES)
    return " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames)
    )
