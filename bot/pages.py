"""The built front end, health and figures: what the server shows beside chat and console."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

from bot.metrics import CONTENT_TYPE, Metrics

_HERE = Path(__file__).resolve().parent.parent
_NOT_BUILT = "页面还没有构建：请在源码目录运行 make setup (the pages are not built: run make setup)"
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
        "connect-src 'self' ws: wss:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def built_pages() -> Path:
    """Where the built front end lies: beside a clone's sources, or inside an installed wheel."""
    in_clone = _HERE / "web" / "dist"
    return in_clone if in_clone.exists() else _HERE / "kefu_web"


@dataclass(frozen=True, slots=True)
class Pages:
    """Routes that answer without a database.

    Attributes:
        readiness: Whether messages can be taken, and what is degraded.
    """

    folder: Path
    metrics: Metrics
    readiness: Callable[[], Awaitable[tuple[bool, Mapping[str, Any]]]]
    before_metrics: Callable[[], Awaitable[None]]

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount at the server's root."""
        return [
            web.get("/", self._page("index.html")),
            web.get("/console", self._page("console.html")),
            web.get("/console/{tail:.*}", self._page("console.html")),
            web.get("/widget.js", self.widget),
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.figures),
            web.get("/assets/{name}", self.asset),
            web.get("/favicon.svg", self.icon),
            web.get("/favicon.ico", self.icon),
        ]

    def _page(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def page(_request: web.Request) -> web.StreamResponse:
            return self._file(name, _PAGE_HEADERS)

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
                "X-Content-Type-Options": "nosniff",
                "Access-Control-Allow-Origin": "*",
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
        )

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """A built file whose name holds the hash of its content."""
        path = self.folder / "assets" / request.match_info["name"]
        if path.parent != self.folder / "assets" or not path.is_file():
            raise web.HTTPNotFound
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        }
        return web.FileResponse(path, headers=headers)

    async def icon(self, _request: web.Request) -> web.StreamResponse:
        """The shop's icon."""
        path = self.folder / "favicon.svg"
        if not path.is_file():
            return web.Response(status=204)
        return web.FileResponse(path, headers={hdrs.CACHE_CONTROL: "public, max-age=86400"})

    async def health(self, _request: web.Request) -> web.Response:
        """Alive."""
        return web.json_response({"status": "alive"})

    async def ready(self, _request: web.Request) -> web.Response:
        """Whether messages can be taken, and what is degraded."""
        is_ready, detail = await self.readiness()
        return web.json_response(dict(detail), status=200 if is_ready else 503)

    async def figures(self, _request: web.Request) -> web.Response:
        """Figures for Prometheus."""
        await self.before_metrics()
        return web.Response(body=self.metrics.text(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})
