"""Access tokens: who got which, and until when it works."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from devkit.platform import Clock
from devkit.wechat.rules import Refused, Rules

EARLY = 5 * 60
"""Seconds before its end from which the stable call hands out the next token."""


@dataclass(slots=True)
class Token:
    """One access token; ``is_revoked`` when a newer one has killed it."""

    value: str
    expires_at: datetime
    is_revoked: bool = False


class Tokens:
    """Both calls that hand out tokens; each keeps its own, as on the platform.

    Attributes:
        handed_out: Every token there ever was, by value.
    """

    def __init__(self, clock: Clock, rules: Rules) -> None:
        self._clock = clock
        self._rules = rules
        self._classic: Token | None = None
        self._stable: Token | None = None
        self._forced: list[datetime] = []
        self.handed_out: dict[str, Token] = {}

    def classic(self) -> tuple[str, int]:
        """A new token each time; the one before it works for the overlap only."""
        if self._classic is not None:
            ends = self._clock() + self._rules.token_overlap
            self._classic.expires_at = min(self._classic.expires_at, ends)
        self._classic = self._new()
        return self._classic.value, self._left(self._classic)

    def stable(self, *, force: bool) -> tuple[str, int]:
        """The same token while it lasts; a forced refresh kills it at once.

        Raises:
            Refused: Forced too often.
        """
        if force:
            self._count_force()
            if self._stable is not None:
                self._stable.is_revoked = True
            self._stable = None
        token = self._stable
        if token is None or token.is_revoked or self._left(token) <= EARLY:
            token = self._stable = self._new()
        return token.value, self._left(token)

    def check(self, value: str) -> None:
        """Whether a request may pass.

        Raises:
            Refused: 41001, 40014, 40001 or 42001.
        """
        if not value:
            raise Refused(41001)
        token = self.handed_out.get(value)
        if token is None:
            raise Refused(40001 if len(value) > 100 else 40014)
        if token.is_revoked:
            raise Refused(40001)
        if token.expires_at <= self._clock():
            raise Refused(42001)

    def expire(self) -> None:
        """All tokens end now, as if two hours were over."""
        for token in self.handed_out.values():
            token.expires_at = self._clock()

    def taken_over(self) -> None:
        """Another program of the shop forces a refresh: ours is no longer the latest."""
        for token in self.handed_out.values():
            token.is_revoked = True
        self._classic = None
        self._stable = self._new()

    def _count_force(self) -> None:
        now = self._clock()
        today = [at for at in self._forced if (now - at).total_seconds() < 86400]
        if today and now - today[-1] < self._rules.force_gap:
            raise Refused(45011)
        if len(today) >= self._rules.force_per_day:
            raise Refused(45009)
        self._forced = [*today, now]

    def _new(self) -> Token:
        token = Token("88_" + secrets.token_urlsafe(102), self._clock() + self._rules.token_life)
        self.handed_out[token.value] = token
        return token

    def _left(self, token: Token) -> int:
        return int((token.expires_at - self._clock()).total_seconds())
