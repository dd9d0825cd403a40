"""Sessions: logging in, staying logged in, and being locked out after wrong tries.

The browser holds a random token, the database its hash. Tries are counted before the password is
looked at, so that tries side by side are counted as well. Strangers are limited by their source, by
the network around it, and all together by user name; whoever comes from a browser that logged in
before (``handoff.auth.devices``) is limited by that browser alone, so that nobody locks an agent
out.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from handoff.auth.agents import (
    Agent,
    Agents,
    Credentials,
    folded_username,
)
from handoff.auth.devices import Devices
from handoff.auth.login_queue import LoginQueue
from handoff.auth.passwords import is_right, renewed
from handoff.errors import HandoffError
from handoff.model.conversation import AgentId
from handoff.model.ports import Clock, Units


@dataclass(frozen=True, slots=True)
class LoginRules:
    """How long a login lasts, and how many wrong tries it takes to be locked out.

    Attributes:
        idle_s: Without a request for so long, one is logged out.
        longest_s: After so long in any case.
        tries_of_user: Wrong tries for one username from one source, or from one known browser.
        tries_of_source: Wrong tries from one source, whatever the username.
        wider: How many times as much the network around a source may try.
        window_s: Within so long.
        lock_s: And then nothing is tried for so long.
        tries_of_all: Wrong tries for one username by all strangers together in ``window_s``; from
            then on only one of them in ``spacing_s`` is looked at. It is never a lock.
    """

    idle_s: float = 12 * 3_600
    longest_s: float = 7 * 86_400
    tries_of_user: int = 5
    tries_of_source: int = 20
    wider: int = 8
    window_s: float = 900
    lock_s: float = 900
    tries_of_all: int = 30
    spacing_s: float = 30
    touch_every_s: float = 300


@dataclass(frozen=True, slots=True)
class Session:
    """A login of one browser.

    Attributes:
        token_hash: SHA-256 of the cookie's token.
        csrf_token: Has to come with every request that changes something.
        seen_at: Last use, to a few minutes.
    """

    token_hash: bytes = field(repr=False)
    agent_id: AgentId
    csrf_token: str = field(repr=False)
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in, by which session."""

    agent: Agent
    session: Session


STRANGERS_REST = 3.0
"""Strangers' passwords take a quarter of a core at most: a look takes about 25 ms, so an agent in a
new browser waits a tenth of a second longer, and a flood of log-ins leaves customers theirs."""


class WrongPassword(HandoffError):
    """The username or the password is wrong; nobody learns which."""


class LockedOut(HandoffError):
    """Too many wrong tries.

    Attributes:
        retry_after_s: When trying again is looked at.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("too many wrong tries")
        self.retry_after_s = retry_after_s


class Contested(LockedOut):
    """Strangers try this username so often that they are looked at one by one."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login that was just made.

    Attributes:
        token: For the browser's session cookie.
        device: For its device cookie.
    """

    token: SecretStr
    device: str = field(repr=False)
    login: Login


class Sessions(Protocol):
    """Sessions and wrong tries."""

    def add(self, session: Session) -> None:
        """Store a new session."""

    def get(self, token_hash: bytes) -> Session | None:
        """The session of an agent who may still log in, or ``None``."""

    def some(self, token_hashes: Sequence[bytes]) -> Sequence[Session]:
        """Those of these sessions that exist and whose agents may still log in."""

    def touch(self, token_hash: bytes, at: datetime) -> None:
        """It was used."""

    def end(self, token_hash: bytes) -> None:
        """Log out."""

    def end_all(self, agent_id: AgentId) -> None:
        """Log an agent out everywhere."""

    def add_attempt(self, username: str, source: str, at: datetime) -> str:
        """Note a try that counts as wrong until it is forgiven; its id."""

    def forgive(self, attempt_ids: Sequence[str]) -> None:
        """The password was right."""

    def attempts_of_pair(self, username: str, source: str, since: datetime) -> Sequence[datetime]:
        """When this user was tried in vain from this source, the latest first."""

    def attempts_of_source(self, source: str, since: datetime) -> Sequence[datetime]:
        """When anybody was tried in vain from this source, the latest first."""

    def forget(
        self, *, attempts_before: datetime, unseen_since: datetime, created_before: datetime
    ) -> None:
        """Drop what counts no longer."""


class LoginWork(Protocol):
    """The repositories that logging in needs."""

    @property
    def agents(self) -> Agents:
        """Who answers."""

    @property
    def sessions(self) -> Sessions:
        """Who is logged in."""


_ANYBODY = "*"
"""The source under which every stranger's try is counted."""


class Logins:
    """Logs agents in and out.

    Args:
        devices: Knows the browsers from which agents logged in before.
    """

    def __init__(
        self,
        units: Units[LoginWork],
        *,
        clock: Clock,
        devices: Devices,
        rules: LoginRules | None = None,
    ) -> None:
        self._units = units
        self._clock = clock
        self._devices = devices
        self.rules = rules or LoginRules()
        # each look at a password takes a core: one of strangers at a time, so that neither
        # customers nor the agents' own browsers wait for them, and that one with rests
        self._strangers = LoginQueue(rests=STRANGERS_REST)
        self._known = LoginQueue()

    async def log_in(
        self,
        username: str,
        password: SecretStr,
        sources: Sequence[str],
        *,
        device: str | None = None,
    ) -> LoggedIn:
        """Open a session.

        Args:
            sources: Where the try comes from: a network address, and the network around it.
            device: The browser's device cookie for this username, if it has one.

        Raises:
            WrongPassword: Of an unknown or disabled user too.
            LockedOut: The password was not even looked at.
            QueueFull: Too many passwords wait to be looked at.
        """
        folded = folded_username(username)
        device_id = self._devices.id_of(folded, device)
        if device_id is not None:
            try:
                async with self._known.turn(device_id):
                    return await self._try(folded, password, (f"device:{device_id}",))
            except LockedOut:
                pass  # whoever guesses in a known browser is a stranger from now on
        async with self._strangers.turn(sources[-1]):
            return await self._try(folded, password, (*sources, _ANYBODY))

    async def _try(self, username: str, password: SecretStr, sources: Sequence[str]) -> LoggedIn:
        def count(work: LoginWork) -> tuple[Sequence[str], Credentials | None]:
            self._judge(work, username, sources)
            now = self._clock()
            attempts = [work.sessions.add_attempt(username, one, now) for one in sources]
            return attempts, work.agents.credentials(username)

        attempts, found = await self._units.write(count)
        may_log_in = found is not None and not found.agent.is_disabled
        password_hash = found.password_hash if found is not None and may_log_in else None
        if not await is_right(password, password_hash) or found is None:
            raise WrongPassword("wrong username or password")
        new_hash = await renewed(password, found.password_hash)
        return await self._open(found, attempts, new_hash)

    async def _open(
        self, found: Credentials, attempts: Sequence[str], new_hash: str | None
    ) -> LoggedIn:
        agent = found.agent
        token = secrets.token_urlsafe(32)
        now = self._clock()
        session = Session(token_hash(token), agent.id, secrets.token_urlsafe(24), now, now)

        def unit(work: LoginWork) -> None:
            work.sessions.forgive(attempts)
            work.sessions.add(session)
            # not over a password that was changed meanwhile
            if new_hash is not None and work.agents.credentials(agent.username) == found:
                work.agents.set_password(agent.id, new_hash)
            work.sessions.forget(
                attempts_before=now - self._lookback,
                unseen_since=now - timedelta(seconds=self.rules.idle_s),
                created_before=now - timedelta(seconds=self.rules.longest_s),
            )

        await self._units.write(unit)
        device = self._devices.issue(agent.username)
        return LoggedIn(SecretStr(token), device, Login(agent, session))

    async def of_token(self, token: str | None) -> Login | None:
        """Who holds this token; ``None`` if nobody is logged in by it any more."""
        if not token:
            return None
        key = token_hash(token)

        def unit(work: LoginWork) -> Login | None:
            session = work.sessions.get(key)
            agent = None if session is None else work.agents.get(session.agent_id)
            return None if session is None or agent is None else Login(agent, session)

        found = await self._units.read(unit)
        now = self._clock()
        if found is None or not self.is_alive(found.session, now):
            return None
        if (now - found.session.seen_at).total_seconds() >= self.rules.touch_every_s:
            await self._units.write(lambda work: work.sessions.touch(key, now))
            return replace(found, session=replace(found.session, seen_at=now))
        return found

    async def log_out(self, login: Login) -> None:
        """End this session."""
        await self._units.write(lambda work: work.sessions.end(login.session.token_hash))

    async def alive(self, token_hashes: Sequence[bytes]) -> set[bytes]:
        """Which of these sessions still hold."""
        found = await self._units.read(lambda work: work.sessions.some(token_hashes))
        now = self._clock()
        return {session.token_hash for session in found if self.is_alive(session, now)}

    def is_alive(self, session: Session, now: datetime) -> bool:
        """Whether it has neither been idle nor lasted too long."""
        return (now - session.seen_at).total_seconds() < self.rules.idle_s and (
            now - session.created_at
        ).total_seconds() < self.rules.longest_s

    @property
    def _lookback(self) -> timedelta:
        return timedelta(seconds=self.rules.window_s + self.rules.lock_s)

    def _judge(self, work: LoginWork, username: str, sources: Sequence[str]) -> None:
        """Refuse a try before the password is looked at.

        Raises:
            LockedOut: This source, or the network around it, has tried too often.
            Contested: All strangers together have.
        """
        since, locked_s = self._clock() - self._lookback, 0.0
        named = [one for one in sources if one != _ANYBODY]
        for place, source in enumerate(named):
            times = 1 if place == 0 else self.rules.wider
            of_user = work.sessions.attempts_of_pair(username, source, since)
            of_source = work.sessions.attempts_of_source(source, since)
            locked_s = max(
                locked_s,
                self._left_s(of_user, self.rules.tries_of_user * times),
                self._left_s(of_source, self.rules.tries_of_source * times),
            )
        if locked_s > 0:
            raise LockedOut(locked_s)
        if _ANYBODY in sources:
            crowd_s = self._spacing_left_s(
                work.sessions.attempts_of_pair(username, _ANYBODY, since)
            )
            if crowd_s > 0:
                raise Contested(crowd_s)

    def _spacing_left_s(self, attempts: Sequence[datetime]) -> float:
        """Seconds until the next stranger is looked at, 0 or less while they are few."""
        now, rules = self._clock(), self.rules
        recent = [at for at in attempts if (now - at).total_seconds() < rules.window_s]
        if len(recent) < rules.tries_of_all:
            return 0.0
        return (recent[0] - now).total_seconds() + rules.spacing_s

    def _left_s(self, attempts: Sequence[datetime], limit: int) -> float:
        """Seconds until the lock opens, 0 or less where there is none."""
        if len(attempts) < limit:
            return 0.0
        latest, first = attempts[0], attempts[limit - 1]
        if (latest - first).total_seconds() > self.rules.window_s:
            return 0.0
        return (latest - self._clock()).total_seconds() + self.rules.lock_s


def token_hash(token: str) -> bytes:
    """What is stored of a token; it is random enough to need no slow hash."""
    return hashlib.sha256(token.encode()).digest()
