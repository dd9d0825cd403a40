"""One table of routes, of which the server and ``openapi.json`` are made alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from handoff.auth.agents import Agent, Role
from handoff.auth.sessions import Login
from handoff.console.api.errors import ApiError, invalid
from handoff.console.api.security import Security

MAX_BODY_BYTES = 1024 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD"})
M = TypeVar("M", bound=BaseModel)
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked: who asks, and what."""

    request: web.Request
    login: Login | None
    _body: BaseModel | None = None
    _query: BaseModel | None = None

    def body(self, model: type[M]) -> M:
        """The body, as its route says it is."""
        assert isinstance(self._body, model)  # noqa: S101 - the route table says so
        return self._body

    def query(self, model: type[M]) -> M:
        """The query, as its route says it is."""
        assert isinstance(self._query, model)  # noqa: S101 - the route table says so
        return self._query

    def path(self, name: str) -> str:
        """A part of the path that is an id.

        Raises:
            ApiError: It can be nobody's id.
        """
        value = self.request.match_info[name]
        if not (value.isascii() and value.isalnum() and len(value) <= _LONGEST_ID):
            raise ApiError(404, "not_found", "没有这个地址")
        return value

    @property
    def logged_in(self) -> Login:
        """The login; there is one on every route that is not public."""
        if self.login is None:
            raise ApiError(401, "not_logged_in", "请先登录")
        return self.login

    @property
    def agent(self) -> Agent:
        """Who asks."""
        return self.logged_in.agent


Answer = BaseModel | web.StreamResponse | None


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked.

    Attributes:
        path: Below ``/api/v1``, ids in braces.
        summary: One line for ``openapi.json``.
        needs: The least role; ``None``: nobody need be logged in.
        body: Of what form the JSON body is; ``None``: it is not read.
        answer: Of what form the answer is; ``None``: there is none (204), or ``media`` says what.
        media: The answer's type where it is no JSON; ``upload``: the body is a multipart form.
        errors: Statuses that this route may answer beside those that all may.
    """

    method: str
    path: str
    handler: Callable[[Call], Awaitable[Answer]]
    summary: str
    needs: Role | None = Role.AGENT
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    media: str | None = None
    upload: bool = False
    errors: Sequence[int] = ()


def served(
    route: Route, security: Security
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route as aiohttp serves it."""

    async def handle(request: web.Request) -> web.StreamResponse:
        login = await security.admitted(request, route.needs)
        body = None if route.body is None else await _body(request, route.body)
        query = None if route.query is None else _query(request, route.query)
        answer = await route.handler(Call(request, login, body, query))
        if isinstance(answer, web.StreamResponse):
            return answer
        if answer is None:
            return web.Response(status=204)
        return web.json_response(text=answer.model_dump_json(), status=route.status)

    return handle


async def read_body(request: web.Request, limit: int) -> bytes:
    """The whole body.

    Raises:
        ApiError: It is longer than ``limit`` bytes; the rest is not read.
    """
    if request.content_length is not None and request.content_length > limit:
        raise ApiError(413, "too_large", "内容太大了")
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > limit:
            raise ApiError(413, "too_large", "内容太大了")
        parts.append(part)
    return b"".join(parts)


async def _body(request: web.Request, model: type[M]) -> M:
    content = await read_body(request, MAX_BODY_BYTES)
    try:
        return model.model_validate_json(content or b"{}")
    except ValidationError as error:
        raise invalid(error) from None


def _query(request: web.Request, model: type[M]) -> M:
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise invalid(error) from None
