"""Who may look and try: every request is counted, durably, before it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from shop.access.answers import Requester
from shop.access.throttle import (
    ADMITTED,
    ANYBODY,
    Limits,
    Ruling,
    Verdict,
    breadth,
    judge_crowd,
    judge_rate,
    judge_try,
    judge_wide,
    worst,
)
from shop.domain.attempts import TRIES, AttemptKind
from shop.domain.numbers import OrderNumber
from shop.domain.ports import Clock, ShopWork, Units
from shop.domain.proofs import Level, Proof

_CARDS = "cards"
_CODES = "codes"


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the record says of somebody and one subject.

    Attributes:
        rate: On looking up once more.
        own: On trying once more, by the exact sources: these can be locked.
        crowd: The same, by those that strangers share: these are only slowed.
    """

    rate: Verdict
    own: Verdict
    crowd: Verdict


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
        only_code: Refused because strangers crowd at the order; its mailed code gets through.
    """

    verdict: Verdict
    ids: tuple[int, ...] = ()
    is_code: bool = False
    only_code: bool = False


class Admission:
    """Counts in its own units of work, so that nothing is forgotten if a turn fails."""

    def __init__(self, units: Units[ShopWork], clock: Clock, limits: Limits) -> None:
        self._units = units
        self._clock = clock
        self._limits = limits

    async def look(self, requester: Requester, number: OrderNumber) -> Look:
        """Count a look-up of an order."""

        def unit(work: ShopWork) -> Look:
            now, proofs = self._clock(), tuple(work.proofs.of_identity(requester.identity))
            judged = self._judge_order(work, requester, number, proofs, now)
            if judged.rate.is_admitted:
                _add(work, requester, AttemptKind.LOOKUP, _subject(number), now)
            return Look(judged.rate, judged.own, proofs)

        return await self._units.write(unit)

    async def try_proof(self, requester: Requester, number: OrderNumber, typed: SecretStr) -> Try:
        """Count a proof before it is checked, and check it against the code that is out."""

        def unit(work: ShopWork) -> Try:
            now, proofs = self._clock(), tuple(work.proofs.of_identity(requester.identity))
            judged = self._judge_order(work, requester, number, proofs, now)
            if not judged.own.is_admitted:
                return Try(judged.own)
            is_code = work.proofs.try_code(number, requester.identity, typed, now)
            if not (judged.crowd.is_admitted or is_code):
                return Try(judged.crowd, only_code=True)
            return Try(judged.own, _add_try(work, requester, _subject(number), now), is_code)

        return await self._units.write(unit)

    async def try_card(self, requester: Requester) -> Try:
        """Count a pasted card secret before it is looked for."""

        def unit(work: ShopWork) -> Try:
            now, proofs = self._clock(), tuple(work.proofs.of_identity(requester.identity))
            is_owner = _has_proved(proofs)
            judged = self._judge(work, requester, _CARDS, now, minds_crowd=not is_owner)
            verdict = worst((judged.rate, judged.own, judged.crowd))
            if not verdict.is_admitted:
                return Try(verdict)
            _add(work, requester, AttemptKind.LOOKUP, _CARDS, now)
            return Try(judged.own, _add_try(work, requester, _CARDS, now))

        return await self._units.write(unit)

    async def ask_code(self, requester: Requester, number: OrderNumber) -> Verdict:
        """Count a code asked for: a look-up, and one of the few mails of a source and an order."""

        def unit(work: ShopWork) -> Verdict:
            now, subject = self._clock(), _subject(number)
            proofs = tuple(work.proofs.of_identity(requester.identity))
            judged = self._judge_order(work, requester, number, proofs, now)
            codes = self._judge_codes(work, requester, number, proofs, now)
            verdict = worst((judged.rate, judged.own, codes))
            if verdict.is_admitted:
                _add(work, requester, AttemptKind.LOOKUP, subject, now)
                _add(work, requester, AttemptKind.CODE, _CODES, now)
                for of in (subject, _CODES):
                    work.attempts.add(AttemptKind.CODE, ANYBODY, of, now)
            return verdict

        return await self._units.write(unit)

    async def mail(self, number: OrderNumber, contact: SecretStr | None) -> Verdict:
        """Count a mail, code or cards, to the mailbox of whoever asks or of somebody else.

        Args:
            contact: ``None`` where the order has none or does not exist: it takes as long.
        """
        to = f"nobody:{number}" if contact is None else f"contact:{contact.get_secret_value()}"

        def unit(work: ShopWork) -> Verdict:
            now = self._clock()
            work.attempts.hold((), to, now)
            verdict = self._judge_mails(work, ANYBODY, to, now, self._limits.mails_of_contact)
            if verdict.is_admitted:
                work.attempts.add(AttemptKind.CODE, ANYBODY, to, now)
            return verdict

        return await self._units.write(unit)

    async def settle(self, tried: Try, kind: AttemptKind) -> None:
        """Say that a try was no failure."""
        await self._units.write(lambda work: work.attempts.settle(tried.ids, kind))

    async def forget_old(self) -> int:
        """Delete what is too old to count; how many rows that were."""
        before = self._clock() - 2 * self._limits.lookback
        return await self._units.write(lambda work: work.attempts.forget(before))

    def _judge_order(
        self,
        work: ShopWork,
        requester: Requester,
        number: OrderNumber,
        proofs: Sequence[Proof],
        now: datetime,
    ) -> _Judged:
        is_owner = _has_proved(proofs, number)
        return self._judge(work, requester, _subject(number), now, minds_crowd=not is_owner)

    def _judge(
        self,
        work: ShopWork,
        requester: Requester,
        subject: str,
        now: datetime,
        *,
        minds_crowd: bool,
    ) -> _Judged:
        limits, crowd = self._limits.order, self._limits.order_crowd
        if subject == _CARDS:
            limits, crowd = self._limits.card, self._limits.card_crowd
        sources = requester.all_sources
        work.attempts.hold(sources, subject, now)
        since = now - self._limits.lookback
        rates, own, shared = [ADMITTED], [ADMITTED], [ADMITTED]
        for source in sources:
            times = breadth(source, self._limits)
            if times > 1 and not minds_crowd:
                continue
            history = work.attempts.recent(source, subject, since)
            rates.append(
                judge_rate(
                    (one.at for one in history if one.kind is AttemptKind.LOOKUP),
                    now,
                    at_most=self._limits.lookups * times,
                    window_s=self._limits.lookup_window_s,
                )
            )
            if times == 1:
                own.append(judge_try(history, now, limits))
            else:
                shared.append(judge_wide(history, now, limits, times))
        if minds_crowd:
            tries = work.attempts.on_subject(TRIES, ANYBODY, subject, since)
            shared.append(judge_crowd(tries, now, crowd))
        return _Judged(worst(rates), worst(own), worst(shared))

    def _judge_codes(
        self,
        work: ShopWork,
        requester: Requester,
        number: OrderNumber,
        proofs: Sequence[Proof],
        now: datetime,
    ) -> Verdict:
        """The verdict on mailing one more code, by source, order and shop."""
        limits, is_owner = self._limits, _has_proved(proofs, number)
        work.attempts.hold((), _CODES, now)
        verdicts = [
            self._judge_mails(work, source, _CODES, now, limits.codes * breadth(source, limits))
            for source in requester.all_sources
        ]
        of_order = limits.codes_of_owner if is_owner else limits.codes
        verdicts.append(self._judge_mails(work, ANYBODY, _subject(number), now, of_order))
        if not is_owner:
            verdicts.append(self._judge_mails(work, ANYBODY, _CODES, now, limits.codes_of_all))
        return worst(verdicts)

    def _judge_mails(
        self, work: ShopWork, source: str, subject: str, now: datetime, at_most: int
    ) -> Verdict:
        window_s = self._limits.code_window_s
        since = now - timedelta(seconds=window_s)
        asked = work.attempts.on_subject((AttemptKind.CODE,), source, subject, since)
        return judge_rate((one.at for one in asked), now, at_most=at_most, window_s=window_s)


def _has_proved(proofs: Sequence[Proof], number: OrderNumber | None = None) -> bool:
    """Tell whether an owner's proof of this order, or of any, is among these, however old."""
    return any(proof.level >= Level.OWNER and number in {None, proof.number} for proof in proofs)


def _subject(number: OrderNumber) -> str:
    return f"order:{number}"


def _add(
    work: ShopWork, requester: Requester, kind: AttemptKind, subject: str, at: datetime
) -> tuple[int, ...]:
    sources: Sequence[str] = requester.all_sources
    return tuple(work.attempts.add(kind, source, subject, at) for source in sources)


def _add_try(work: ShopWork, requester: Requester, subject: str, at: datetime) -> tuple[int, ...]:
    own = _add(work, requester, AttemptKind.TRY, subject, at)
    return (*own, work.attempts.add(AttemptKind.TRY, ANYBODY, subject, at))
