"""With which right somebody asks for an order: counted, looked up, proved, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import structlog
from pydantic import SecretStr

from shop.access import disclosure
from shop.access.admission import Admission
from shop.access.answers import Requester
from shop.access.disclosure import Standing
from shop.access.effects import Effect
from shop.access.settings import GateSettings
from shop.access.throttle import Ruling
from shop.backends.base import ShopBackend
from shop.domain.attempts import AttemptKind
from shop.domain.numbers import OrderNumber, read_number
from shop.domain.orders import Order
from shop.domain.ports import Clock
from shop.domain.proofs import Factor, Level, Proof

log = structlog.get_logger(__name__)


class Refusal(StrEnum):
    """Why there is nothing to show; the words are shared by all outcomes."""

    NOT_FOUND = "not_found"
    PROOF_NEEDED = "proof_needed"
    THROTTLED = "throttled"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"
    PRIVATE_ONLY = "private_only"


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody is not let through.

    Attributes:
        is_newly_locked: This failed try locked the pair of order and source.
        only_code: Strangers crowd at the order; a mailed code gets through at once.
    """

    reason: Refusal
    retry_after_s: float | None = None
    is_newly_locked: bool = False
    only_code: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """Somebody is let through, with this standing.

    Attributes:
        effects: The proof that was given, if one was.
    """

    order: Order
    standing: Standing
    effects: tuple[Effect, ...] = ()


class Access:
    """Decides who gets through to an order; every refusal of a stranger is made here."""

    def __init__(
        self, admission: Admission, backend: ShopBackend, clock: Clock, settings: GateSettings
    ) -> None:
        self._admission = admission
        self._backend = backend
        self._clock = clock
        self._settings = settings

    async def resolve(
        self, requester: Requester, typed_number: str, proof: SecretStr | None
    ) -> Granted | Refused:
        """The order and the right to it, or why there is none.

        Args:
            proof: What was typed when asked; ``None`` or blank: nothing was.
        """
        if not requester.is_private:
            return Refused(Refusal.PRIVATE_ONLY)
        number = read_number(typed_number)
        look = await self._admission.look(requester, number)
        if not look.rate.is_admitted:
            return Refused(Refusal.THROTTLED, look.rate.retry_after_s)
        order = await self._backend.find_order(number)
        can_be_guessed = self._backend.capabilities().numbers_can_be_guessed
        standing = disclosure.standing_of(
            order,
            requester.identity,
            look.proofs,
            valid_since=self._clock() - self._settings.proofs_last,
            numbers_can_be_guessed=can_be_guessed,
        )
        if order is not None and standing.level >= Level.OWNER:
            return Granted(order, standing)
        if order is not None and any(order.contact.is_same(one) for one in requester.vouched):
            # the shop itself logged this customer in: nothing more needs to be typed
            return self._known_account(requester, number, order)
        if look.is_locked:
            return Refused(Refusal.LOCKED, look.lock.retry_after_s)
        if proof is not None and proof.get_secret_value().strip():
            return await self._prove(requester, number, order, standing, proof)
        if order is None or standing.level < Level.NUMBER:
            return Refused(Refusal.PROOF_NEEDED if can_be_guessed else Refusal.NOT_FOUND)
        return Granted(order, standing)

    def _known_account(self, requester: Requester, number: OrderNumber, order: Order) -> Granted:
        given = Proof(number, requester.identity, Factor.ACCOUNT, self._clock(), requester.turn_id)
        return Granted(order, Standing(given.level, Factor.ACCOUNT), (given,))

    async def _prove(
        self,
        requester: Requester,
        number: OrderNumber,
        order: Order | None,
        standing: Standing,
        typed: SecretStr,
    ) -> Granted | Refused:
        """Check what was typed; an unknown order takes the same steps as a wrong proof."""
        tried = await self._admission.try_proof(requester, number, typed)
        if tried.verdict.ruling is Ruling.LOCKED:
            return Refused(Refusal.LOCKED, tried.verdict.retry_after_s)
        if not tried.verdict.is_admitted:
            wait_s = tried.verdict.retry_after_s
            return Refused(Refusal.THROTTLED, wait_s, only_code=tried.only_code)
        is_password = await self._backend.password_matches(number, typed)
        factor = disclosure.factor_shown(
            order, typed, is_password=is_password, is_code=tried.is_code
        )
        if order is None or factor is None:
            if tried.verdict.is_last:
                log.warning("order_proofs_locked", channel=requester.identity.split(":")[0])
            return Refused(Refusal.NOT_FOUND, is_newly_locked=tried.verdict.is_last)
        level = disclosure.worth(factor)
        is_owner = level >= Level.OWNER
        # typing the contact is no failure, but it must not wipe out guesses at the password
        await self._admission.settle(
            tried, AttemptKind.PROVED if is_owner else AttemptKind.HARMLESS
        )
        given = Proof(number, requester.identity, factor, self._clock(), requester.turn_id)
        if level <= standing.level:
            return Granted(order, standing, (given,))
        return Granted(order, Standing(level, factor), (given,))
