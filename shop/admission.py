"""Who may look and try: every request is counted, durably, before it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from shop.answers import Requester
from shop.numbers import OrderNumber
from shop.ports import Clock, ShopWork, Units
from shop.proofs import Proof
from shop.throttle import (
    AttemptKind,
    Limits,
    Ruling,
    TryLimits,
    Verdict,
    judge_rate,
    judge_try,
    worst,
)

_CARDS = "cards"


@dataclass(frozen=True, slots=True)
class Look:
    """A look-up that was counted, or refused.

    Attributes:
        rate: Whether the source has looked too often.
        is_locked: Whether it failed too often on this subject; a proved owner need not mind.
        proofs: What the identity proved so far, of any order and age.
    """

    rate: Verdict
    lock: Verdict
    proofs: tuple[Proof, ...]

    @property
    def is_locked(self) -> bool:
        """Whether the pair of source and subject is locked."""
        return self.lock.ruling is Ruling.LOCKED


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was counted, or refused.

    Attributes:
        ids: Its records, to be settled if it succeeds.
        is_code: What was typed is the code that is out.
    """

    verdict: Verdict
    ids: tuple[int, ...] = ()
    is_code: bool = False


class Admission:
    """Counts in its own units of work, so that nothing is forgotten if a turn fails."""

    def __init__(self, units: Units[ShopWork], clock: Clock, limits: Limits) -> None:
        self._units = units
        self._clock = clock
        self._limits = limits

    async def look(self, requester: Requester, number: OrderNumber) -> Look:
        """Count a look-up of an order."""

        def unit(work: ShopWork) -> Look:
            now = self._clock()
            rate, lock = self._judge(work, requester, _subject(number), self._limits.order, now)
            if rate.is_admitted:
                _add(work, requester, AttemptKind.LOOKUP, _subject(number), now)
            return Look(rate, lock, tuple(work.proofs.of_identity(requester.identity)))

        return await self._units.write(unit)

    async def try_proof(self, requester: Requester, number: OrderNumber, typed: SecretStr) -> Try:
        """Count a proof before it is checked, and check it against the code that is out."""

        def unit(work: ShopWork) -> Try:
            now = self._clock()
            _, verdict = self._judge(work, requester, _subject(number), self._limits.order, now)
            if not verdict.is_admitted:
                return Try(verdict)
            ids = _add(work, requester, AttemptKind.TRY, _subject(number), now)
            is_code = work.proofs.try_code(number, requester.identity, typed, now)
            return Try(verdict, ids, is_code)

        return await self._units.write(unit)

    async def try_card(self, requester: Requester) -> Try:
        """Count a pasted card secret before it is looked for."""

        def unit(work: ShopWork) -> Try:
            now = self._clock()
            rate, verdict = self._judge(work, requester, _CARDS, self._limits.card, now)
            if not (rate.is_admitted and verdict.is_admitted):
                return Try(worst((rate, verdict)))
            _add(work, requester, AttemptKind.LOOKUP, _CARDS, now)
            return Try(verdict, _add(work, requester, AttemptKind.TRY, _CARDS, now))

        return await self._units.write(unit)

    async def ask_code(self, requester: Requester, number: OrderNumber) -> Verdict:
        """Count a code asked for: a look-up, and one of the few mails of an order."""

        def unit(work: ShopWork) -> Verdict:
            now, subject = self._clock(), _subject(number)
            rate, lock = self._judge(work, requester, subject, self._limits.order, now)
            asked = work.attempts.codes(
                subject, now - timedelta(seconds=self._limits.code_window_s)
            )
            codes = judge_rate(
                asked, now, at_most=self._limits.codes, window_s=self._limits.code_window_s
            )
            verdict = worst((rate, lock, codes))
            if verdict.is_admitted:
                _add(work, requester, AttemptKind.LOOKUP, subject, now)
                work.attempts.add(AttemptKind.CODE, requester.identity, subject, now)
            return verdict

        return await self._units.write(unit)

    async def settle(self, tried: Try, kind: AttemptKind) -> None:
        """Say that a try was no failure."""
        await self._units.write(lambda work: work.attempts.settle(tried.ids, kind))

    async def forget_old(self) -> int:
        """Delete what is too old to count; how many rows that were."""
        before = self._clock() - 2 * self._limits.lookback
        return await self._units.write(lambda work: work.attempts.forget(before))

    def _judge(
        self,
        work: ShopWork,
        requester: Requester,
        subject: str,
        limits: TryLimits,
        now: datetime,
    ) -> tuple[Verdict, Verdict]:
        """The verdicts on looking up, and on trying at this subject."""
        sources = requester.all_sources
        work.attempts.hold(sources, now)
        since = now - self._limits.lookback
        histories = [work.attempts.recent(source, subject, since) for source in sources]
        rates = [
            judge_rate(
                (one.at for one in history if one.kind is AttemptKind.LOOKUP),
                now,
                at_most=self._limits.lookups,
                window_s=self._limits.lookup_window_s,
            )
            for history in histories
        ]
        return worst(rates), worst(judge_try(history, now, limits) for history in histories)


def _subject(number: OrderNumber) -> str:
    return f"order:{number}"


def _add(
    work: ShopWork, requester: Requester, kind: AttemptKind, subject: str, at: datetime
) -> tuple[int, ...]:
    sources: Sequence[str] = requester.all_sources
    return tuple(work.attempts.add(kind, source, subject, at) for source in sources)
