"""Logging in and out."""

from __future__ import annotations

from aiohttp import web
from pydantic import SecretStr

from handoff.auth.sessions import Login, Logins
from handoff.console.api.routing import Call, Route
from handoff.console.api.security import Security
from handoff.console.live import LiveFeed
from handoff.console.models import LoginIn, SessionOut
from handoff.console.views import ViewWork, agent_out
from handoff.desk.presence import Presence
from handoff.model.ports import Units


class SessionApi:
    """Serves ``/session``."""

    def __init__(
        self,
        units: Units[ViewWork],
        *,
        logins: Logins,
        security: Security,
        presence: Presence,
        feed: LiveFeed,
    ) -> None:
        self._units = units
        self._logins = logins
        self._security = security
        self._presence = presence
        self._feed = feed

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "POST",
                "/session",
                self.log_in,
                "Log in",
                needs=None,
                body=LoginIn,
                answer=SessionOut,
                errors=(401, 403, 429),
            ),
            Route("GET", "/session", self.who, "Who is logged in", answer=SessionOut),
            Route("DELETE", "/session", self.log_out, "Log out"),
        ]

    async def log_in(self, call: Call) -> web.Response:
        """Open a session and give the browser its cookie."""
        given, request = call.body(LoginIn), call.request
        made = await self._logins.log_in(
            given.username,
            SecretStr(given.password),
            self._security.sources(request),
            device=self._security.device(request, given.username),
        )
        self._presence.seen(made.login.agent.id, made.login.agent.name)
        answer = await self._session(made.login)
        response = web.json_response(text=answer.model_dump_json())
        self._security.set_cookies(request, response, made)
        return response

    async def who(self, call: Call) -> SessionOut:
        """The login behind the cookie."""
        return await self._session(call.logged_in)

    async def log_out(self, call: Call) -> web.Response:
        """End the session, its live connections too."""
        login = call.logged_in
        await self._logins.log_out(login)
        self._feed.log_out(login.session.token_hash)
        if not self._feed.has_listener(login.agent.id):
            self._presence.gone(login.agent.id)
        response = web.Response(status=204)
        self._security.clear_cookie(response)
        return response

    async def _session(self, login: Login) -> SessionOut:
        held = await self._units.read(lambda work: work.conversations.open_count(login.agent.id))
        return SessionOut(
            agent=agent_out(login.agent, self._presence, held),
            csrf_token=login.session.csrf_token,
        )
