"""The built front end, health and figures: what the server shows beside chat and console."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web
from pydantic import SecretStr

from bot.app.metrics import CONTENT_TYPE, Metrics

_ROOT = Path(__file__).resolve().parents[3]
_NOT_BUILT = "页面还没有构建：请在源码目录运行 make setup (the pages are not built: run make setup)"
_ASSET = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]{0,200}")
_HOST = re.compile(r"[a-zA-Z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:]{2,45}\](:\d{1,5})?")
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


def built_pages() -> Path:
    """Return the built front end's folder: beside a clone's sources, or inside a wheel."""
    in_clone = _ROOT / "web" / "dist"
    return in_clone if in_clone.exists() else _ROOT / "kefu_web"


def content_policy(host: str, framed_by: str) -> str:
    """The content security policy of a page: everything from this server, nothing inline.

    Args:
        host: As the browser named it; for its WebSocket, which ``'self'`` does not mean to
            Safari before 15.4.
        framed_by: Whose pages may show this one in a frame.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{sockets}; "
        "img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; "
        f"frame-ancestors {framed_by}; base-uri 'none'; form-action 'self'; object-src 'none'"
    )


@dataclass(frozen=True, slots=True)
class Pages:
    """Routes that answer without a database.

    Attributes:
        readiness: Whether messages can be taken, and what is degraded.
        metrics_token: What ``/metrics`` asks for; ``None``: there are none.
    """

    folder: Path
    metrics: Metrics
    readiness: Callable[[], Awaitable[tuple[bool, Mapping[str, Any]]]]
    before_metrics: Callable[[], Awaitable[None]]
    metrics_token: SecretStr | None = None

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount at the server's root."""
        return [
            web.get("/", self._page("index.html", framed_by="'self'")),
            web.get("/console", self._page("console.html", framed_by="'none'")),
            web.get("/console/{tail:.*}", self._page("console.html", framed_by="'none'")),
            web.get("/widget.js", self.widget),
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.figures),
            web.get("/assets/{name}", self.asset),
            web.get("/favicon.svg", self.icon),
            web.get("/favicon.ico", self.icon),
        ]

    def _page(
        self, name: str, *, framed_by: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def page(request: web.Request) -> web.StreamResponse:
            policy = content_policy(request.host, framed_by)
            headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
            return self._file(name, headers)

        return page

    def _file(self, name: str, headers: Mapping[str, str]) -> web.StreamResponse:
        path = self.folder / name
        if not path.is_file():
            raise web.HTTPServiceUnavailable(text=_NOT_BUILT)
        return web.FileResponse(path, headers=headers)

    async def widget(self, _request: web.Request) -> web.StreamResponse:
        """The embeddable script; shops' pages hold its address for years."""
        return self._file(
            "widget.js",
            {
                "Cache-Control": "public, max-age=300",
                "Access-Control-Allow-Origin": "*",
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
        )

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """A built file whose name holds the hash of its content."""
        name = request.match_info["name"]
        if _ASSET.fullmatch(name) is None or not (path := self.folder / "assets" / name).is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=_IMMUTABLE)

    async def icon(self, _request: web.Request) -> web.StreamResponse:
        """The shop's icon."""
        path = self.folder / "favicon.svg"
        if not path.is_file():
            return web.Response(status=204)
        return web.FileResponse(path, headers={hdrs.CACHE_CONTROL: "public, max-age=86400"})

    async def health(self, _request: web.Request) -> web.Response:
        """Answer that the process is alive."""
        return web.json_response({"status": "alive"})

    async def ready(self, _request: web.Request) -> web.Response:
        """Answer whether messages can be taken, and what is degraded."""
        is_ready, detail = await self.readiness()
        return web.json_response(dict(detail), status=200 if is_ready else 503)

    async def figures(self, request: web.Request) -> web.Response:
        """Answer with the figures for Prometheus, to whoever has the token."""
        token = self.metrics_token
        if token is None:
            raise web.HTTPNotFound
        given = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
            raise web.HTTPUnauthorized(headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
        await self.before_metrics()
        return web.Response(body=self.metrics.text(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})
