"""How the server is, and what its API says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from handoff.console.api.routing import Call, Route
from handoff.console.models import StatusOut

StatusOf = Callable[[], StatusOut]


class StatusApi:
    """Serves ``/status`` and ``/openapi.json``."""

    def __init__(self, status: StatusOf, document: Callable[[], Mapping[str, Any]]) -> None:
        self._status = status
        self._document = document

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "GET",
                "/status",
                self.status,
                "How kb.yaml and the channels are",
                answer=StatusOut,
            ),
            Route(
                "GET",
                "/openapi.json",
                self.openapi,
                "This API",
                media="application/json",
            ),
        ]

    async def status(self, _call: Call) -> StatusOut:
        """How kb.yaml and the channels are."""
        return self._status()

    async def openapi(self, _call: Call) -> web.Response:
        """This API, as OpenAPI 3.1."""
        return web.json_response(dict(self._document()))
