"""Who may ask: the session's cookie, the CSRF token, the page's origin, the role."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from aiohttp import web

from handoff.auth.agents import Role, folded_username
from handoff.auth.devices import LIFETIME, cookie_name
from handoff.auth.sessions import LoggedIn, Login, Logins
from handoff.console.api.errors import ApiError
from handoff.desk.presence import Presence

COOKIE = "kefu_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD"})


class Security:
    """Lets requests in, or not.

    Args:
        trusts_proxy: A proxy of ours stands in front: its ``X-Forwarded-*`` are believed, of lists
            only the last entry, which the proxy itself wrote.
        sources_of: Where a request comes from, for counting wrong tries: its network address, and
            the network around it.
        cookie_path: Where the cookie is sent.
    """

    def __init__(
        self,
        logins: Logins,
        presence: Presence,
        *,
        sources_of: Callable[[web.Request], Sequence[str]],
        trusts_proxy: bool = False,
        cookie_path: str = "/",
    ) -> None:
        self._logins = logins
        self._presence = presence
        self.sources = sources_of
        self._trusts_proxy = trusts_proxy
        self._cookie_path = cookie_path

    async def admitted(self, request: web.Request, needs: Role | None) -> Login | None:
        """The login behind a request; ``None`` on a public route without one.

        Raises:
            ApiError: Not logged in, without the right token, from elsewhere, or not allowed.
        """
        is_change = request.method not in _SAFE
        if is_change and not self.is_same_origin(request):
            raise ApiError(403, "wrong_origin", "请从本站的页面操作")
        if needs is None:
            return None
        login = await self.login_of(request)
        if login is None:
            raise ApiError(401, "not_logged_in", "请先登录")
        if is_change and not _same(request.headers.get(CSRF_HEADER), login.session.csrf_token):
            raise ApiError(403, "csrf", "页面已过期，请刷新后再试")
        if not login.agent.role.includes(needs):
            raise ApiError(403, "forbidden", "您没有这个权限")
        self._presence.seen(login.agent.id, login.agent.name)
        return login

    async def login_of(self, request: web.Request) -> Login | None:
        """Who is logged in by the request's cookie."""
        return await self._logins.of_token(request.cookies.get(COOKIE))

    def is_same_origin(self, request: web.Request) -> bool:
        """Whether the page that asks is ours; a request without ``Origin`` comes from no page."""
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        host = self._forwarded(request, "X-Forwarded-Host") or request.host
        try:
            return urlsplit(origin).netloc.casefold() == host.casefold()
        except ValueError:  # no browser writes such an origin
            return False

    def device(self, request: web.Request, username: str) -> str | None:
        """The browser's device cookie for this username."""
        return request.cookies.get(cookie_name(folded_username(username)))

    def set_cookies(self, request: web.Request, response: web.Response, made: LoggedIn) -> None:
        """Give the browser its token, and what it is known by at the next login."""
        lasts_s = round(self._logins.rules.longest_s)
        self._set(request, response, COOKIE, made.token.get_secret_value(), lasts_s)
        device_s = round(LIFETIME.total_seconds())
        name = cookie_name(made.login.agent.username)
        self._set(request, response, name, made.device, device_s)

    def _set(
        self, request: web.Request, response: web.Response, name: str, value: str, lasts_s: int
    ) -> None:
        response.set_cookie(
            name,
            value,
            path=self._cookie_path,
            max_age=lasts_s,
            httponly=True,
            samesite="Strict",
            secure=self._is_https(request),
        )

    def clear_cookie(self, response: web.Response) -> None:
        """Take the token back."""
        response.del_cookie(COOKIE, path=self._cookie_path)

    def _is_https(self, request: web.Request) -> bool:
        return request.secure or self._forwarded(request, "X-Forwarded-Proto") == "https"

    def _forwarded(self, request: web.Request, header: str) -> str | None:
        if not self._trusts_proxy:
            return None
        # of several entries, and of several headers, only the last is our own proxy's
        given = ",".join(request.headers.getall(header, []))
        return given.rpartition(",")[2].strip() or None


def _same(given: str | None, expected: str) -> bool:
    return given is not None and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode()
    )
