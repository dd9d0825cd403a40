"""The gate: counts, asks the shop, checks what was proved, and shows what ``disclosure`` allows.

An async shell and nothing more: limits are arithmetic in ``throttle``, who may see what is decided
in ``disclosure``. It fails closed: where the shop does not answer, nothing is shown.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime

import structlog
from pydantic import SecretStr

from shop.access import disclosure
from shop.access.admission import Admission
from shop.access.answers import (
    CardAnswer,
    CardOutcome,
    CodeAnswer,
    CodeOutcome,
    OrderAnswer,
    OrderOutcome,
    ProductAnswer,
    ProductOutcome,
    ProvenOrder,
    Requester,
    ResendAnswer,
    ResendOutcome,
)
from shop.access.effects import Effect
from shop.access.letters import cards_letter, code_letter
from shop.access.rights import Access, Granted, Refused
from shop.access.settings import GateSettings
from shop.backends.base import DeliveryKind, ShopBackend
from shop.domain.attempts import AttemptKind
from shop.domain.cards import LONGEST_SECRET
from shop.domain.catalog import fold_name, search
from shop.domain.contacts import ContactKind
from shop.domain.numbers import OrderNumber, read_number
from shop.domain.orders import Order
from shop.domain.ports import Clock, ShopWork, Units
from shop.domain.proofs import (
    Code,
    Factor,
    Level,
    Proof,
)
from shop.domain.records import (
    Disclosed,
    ResendChannel,
    Resent,
    Shown,
)
from shop.errors import BackendError

log = structlog.get_logger(__name__)

CODE_DIGITS = 6


class Gate:
    """What bot tools call.

    Args:
        mail_available: Whether mails can be sent; without it no code is offered.
        shop_name: The shop's name now, for mails.
        draw: An unguessable integer in [0, its argument).
    """

    def __init__(
        self,
        units: Units[ShopWork],
        backend: ShopBackend,
        clock: Clock,
        *,
        mail_available: bool,
        shop_name: Callable[[], str],
        settings: GateSettings | None = None,
        draw: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._units = units
        self._backend = backend
        self._clock = clock
        self._mail_available = mail_available
        self._shop_name = shop_name
        self._settings = settings or GateSettings()
        self._draw = draw
        self._admission = Admission(units, clock, self._settings.limits)
        self._access = Access(self._admission, backend, clock, self._settings)

    def offered_factors(self) -> tuple[Factor, ...]:
        """What can be asked for as proof, the best first; the same for every order."""
        can_check = self._backend.capabilities().factors
        typed = (Factor.PASSWORD, Factor.CODE, Factor.CONTACT)
        return tuple(
            factor
            for factor in typed
            if factor in can_check and (factor is not Factor.CODE or self._mail_available)
        )

    async def order(
        self, requester: Requester, number: str, *, proof: SecretStr | None = None
    ) -> OrderAnswer:
        """Look an order up.

        Args:
            number: As typed.
            proof: What the customer typed when asked, tried as query password, as the code that
                is out, and as the contact on the order.
        """
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                resolved = await self._access.resolve(requester, number, proof)
                if isinstance(resolved, Refused):
                    return OrderAnswer(
                        OrderOutcome(resolved.reason.value),
                        retry_after_s=resolved.retry_after_s,
                        is_newly_locked=resolved.is_newly_locked,
                        only_code=resolved.only_code,
                    )
                return await self._order_answer(requester, resolved)
        except (BackendError, TimeoutError) as error:
            _log_unavailable("order", error)
            return OrderAnswer(OrderOutcome.UNAVAILABLE)

    async def _order_answer(self, requester: Requester, granted: Granted) -> OrderAnswer:
        now, order, level = self._clock(), granted.order, granted.standing.level
        cards: tuple[SecretStr, ...] = ()
        if disclosure.may_see_cards(order, level, now):
            cards = await self._cards(order.number)
        view = disclosure.order_view(order, level, now, cards=cards)
        shown = Disclosed(
            number=order.number,
            identity=requester.identity,
            level=level,
            what=Shown.CARDS if view.cards else Shown.STATE,
            cards=len(view.cards),
            at=now,
            turn_id=requester.turn_id,
        )
        return OrderAnswer(
            OrderOutcome(view.state.value),
            view=view,
            level=level,
            factor=granted.standing.factor,
            effects=(*granted.effects, shown),
        )

    async def resend(
        self,
        requester: Requester,
        number: str,
        *,
        proof: SecretStr | None = None,
        want_mail: bool = False,
    ) -> ResendAnswer:
        """Give the cards of an order out once more: the same secrets, nothing allocated.

        They are shown to the order's owner, or mailed to the contact on the order and to no other.
        """
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                resolved = await self._access.resolve(requester, number, proof)
                if isinstance(resolved, Refused):
                    return ResendAnswer(
                        ResendOutcome(resolved.reason.value),
                        retry_after_s=resolved.retry_after_s,
                        is_newly_locked=resolved.is_newly_locked,
                        only_code=resolved.only_code,
                    )
                return await self._resend_answer(requester, resolved, want_mail=want_mail)
        except (BackendError, TimeoutError) as error:
            _log_unavailable("resend", error)
            return ResendAnswer(ResendOutcome.UNAVAILABLE)

    async def _resend_answer(
        self, requester: Requester, granted: Granted, *, want_mail: bool
    ) -> ResendAnswer:
        now, order, standing = self._clock(), granted.order, granted.standing
        outcome = disclosure.resend_outcome(
            order,
            standing.level,
            now,
            want_mail=want_mail,
            mail_available=self._mail_available,
        )
        cards: tuple[SecretStr, ...] = ()
        wait_s: float | None = None
        if outcome in {ResendOutcome.SHOWN, ResendOutcome.MAILED}:
            wait_s = await self._cooldown_s(order.number, outcome, now)
            if wait_s is None and outcome is ResendOutcome.MAILED and standing.level < Level.OWNER:
                # whoever knows somebody's contact must not fill their mailbox
                wait_s = (await self._admission.mail(order.number, order.contact.value)).wait_s
            cards = await self._cards(order.number) if wait_s is None else ()
            if wait_s is not None:
                outcome = ResendOutcome.COOLDOWN
            elif not cards:
                outcome = ResendOutcome.NOT_DELIVERED
        is_shown = outcome is ResendOutcome.SHOWN
        return ResendAnswer(
            outcome,
            view=disclosure.order_view(order, standing.level, now, cards=cards if is_shown else ()),
            level=standing.level,
            factor=standing.factor,
            effects=(*granted.effects, *self._resent(requester, granted, outcome, cards, now)),
            retry_after_s=wait_s,
        )

    def _resent(
        self,
        requester: Requester,
        granted: Granted,
        outcome: ResendOutcome,
        cards: tuple[SecretStr, ...],
        now: datetime,
    ) -> tuple[Effect, ...]:
        if outcome not in {ResendOutcome.SHOWN, ResendOutcome.MAILED}:
            return ()
        order, is_mail = granted.order, outcome is ResendOutcome.MAILED
        resent = Resent(
            number=order.number,
            identity=requester.identity,
            channel=ResendChannel.MAIL if is_mail else ResendChannel.CHAT,
            target_mask=order.contact.mask if is_mail else "",
            at=now,
            turn_id=requester.turn_id,
        )
        shown = Disclosed(
            number=order.number,
            identity=requester.identity,
            level=granted.standing.level,
            what=Shown.MAILED_CARDS if is_mail else Shown.CARDS,
            cards=len(cards),
            at=now,
            turn_id=requester.turn_id,
        )
        if not is_mail:
            return (resent, shown)
        key = _mail_key("cards", requester, order.number)
        letter = cards_letter(order, cards, shop=self._shop_name(), idempotency_key=key)
        return (resent, shown, letter)

    async def send_code(self, requester: Requester, number: str) -> CodeAnswer:
        """Mail a code to the contact on the order, if there is one and it is a mailbox.

        The answer does not tell whether there was: only the mailbox's owner finds out.
        """
        good_for_s = int(self._settings.code_lasts.total_seconds())
        if not requester.is_private:
            return CodeAnswer(CodeOutcome.PRIVATE_ONLY, good_for_s)
        if Factor.CODE not in self.offered_factors():
            return CodeAnswer(CodeOutcome.UNAVAILABLE, good_for_s)
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                asked = read_number(number)
                verdict = await self._admission.ask_code(requester, asked)
                if not verdict.is_admitted:
                    outcome = CodeOutcome(verdict.ruling.value)
                    return CodeAnswer(outcome, good_for_s, retry_after_s=verdict.retry_after_s)
                order = await self._backend.find_order(asked)
                contact = _mailbox(order)
                may_mail = (await self._admission.mail(asked, contact)).is_admitted
        except (BackendError, TimeoutError) as error:
            _log_unavailable("send_code", error)
            return CodeAnswer(CodeOutcome.UNAVAILABLE, good_for_s)
        if not may_mail and contact is not None:
            log.warning("mailbox_had_too_many_codes")
        effects = self._code(requester, order if may_mail else None)
        return CodeAnswer(CodeOutcome.SENT, good_for_s, effects=effects)

    def _code(self, requester: Requester, order: Order | None) -> tuple[Effect, ...]:
        digits = SecretStr(str(self._draw(10**CODE_DIGITS)).zfill(CODE_DIGITS))
        if order is None or _mailbox(order) is None:
            return ()
        now, lasts = self._clock(), self._settings.code_lasts
        code = Code(
            order.number,
            requester.identity,
            digits,
            made_at=now,
            expires_at=now + lasts,
            tries=self._settings.code_tries,
        )
        letter = code_letter(
            order,
            digits,
            shop=self._shop_name(),
            minutes=int(lasts.total_seconds() // 60),
            idempotency_key=_mail_key("code", requester, order.number),
        )
        return (code, letter)

    async def card(self, requester: Requester, secret: SecretStr) -> CardAnswer:
        """The redemption state of a pasted card, if we sold it.

        Cards that we never had and cards that are still in stock get one answer, and few of them.
        """
        if not requester.is_private:
            return CardAnswer(CardOutcome.PRIVATE_ONLY)
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                tried = await self._admission.try_card(requester)
                if not tried.verdict.is_admitted:
                    outcome = CardOutcome(tried.verdict.ruling.value)
                    return CardAnswer(outcome, retry_after_s=tried.verdict.retry_after_s)
                # cut, not refused: a text that is too long is looked for like any other
                asked = SecretStr(secret.get_secret_value()[: LONGEST_SECRET + 1])
                card = await self._backend.find_card(asked)
                outcome, view = disclosure.card_view(card, self._clock())
                if view is None:
                    return CardAnswer(outcome, is_newly_locked=tried.verdict.is_last)
                await self._admission.settle(tried, AttemptKind.HARMLESS)
                return CardAnswer(outcome, view)
        except (BackendError, TimeoutError) as error:
            _log_unavailable("card", error)
            return CardAnswer(CardOutcome.UNAVAILABLE)

    async def products(self, query: str) -> ProductAnswer:
        """What a text means of what is sold; what is on sale if it means nothing."""
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                products = await self._backend.products()
        except (BackendError, TimeoutError) as error:
            _log_unavailable("products", error)
            return ProductAnswer(ProductOutcome.UNAVAILABLE)
        exact = self._settings.shows_exact_stock
        on_sale = tuple(
            disclosure.product_view(one, shows_exact_stock=exact) for one in products if one.is_open
        )
        found = search(products, query)
        meant = [disclosure.product_view(one, shows_exact_stock=exact) for one in found.products]
        if not meant:
            outcome = ProductOutcome.NONE if fold_name(query) else ProductOutcome.SEVERAL
            return ProductAnswer(outcome, products=on_sale)
        choices = tuple(one for one in meant if one.is_open)
        if not found.is_sure and choices:
            return ProductAnswer(ProductOutcome.SEVERAL, products=choices)
        one = meant[0]
        outcome = ProductOutcome(one.band.value) if one.is_open else ProductOutcome.CLOSED
        return ProductAnswer(outcome, product=one, products=(one,))

    async def proven_orders(self, identity: str) -> tuple[ProvenOrder, ...]:
        """Orders that this identity proved and that are still open to it, the newest first."""
        since = self._clock() - self._settings.proofs_last
        proofs = await self._units.read(lambda work: tuple(work.proofs.of_identity(identity)))
        best: dict[OrderNumber, Proof] = {}
        for proof in proofs:
            known = best.get(proof.number)
            if proof.proved_at >= since and (known is None or proof.level > known.level):
                best[proof.number] = proof
        return tuple(ProvenOrder(one.number, one.factor, one.proved_at) for one in best.values())

    async def forget_old_attempts(self) -> int:
        """Delete attempts that are too old to count; to be called now and then."""
        return await self._admission.forget_old()

    async def _cards(self, number: OrderNumber) -> tuple[SecretStr, ...]:
        """The secrets of an order; none where something else stands in their place."""
        delivery = await self._backend.delivery(number)
        return delivery.cards if delivery.kind is DeliveryKind.CARDS else ()

    async def _cooldown_s(
        self, number: OrderNumber, outcome: ResendOutcome, now: datetime
    ) -> float | None:
        last_at = await self._units.read(lambda work: work.deliveries.last_resend_at(number))
        if last_at is None:
            return None
        is_mail = outcome is ResendOutcome.MAILED
        cooldown = self._settings.mail_cooldown if is_mail else self._settings.resend_cooldown
        wait_s = (last_at + cooldown - now).total_seconds()
        return wait_s if wait_s > 0 else None


def _mailbox(order: Order | None) -> SecretStr | None:
    is_mail = order is not None and order.contact.kind is ContactKind.EMAIL
    return order.contact.value if order is not None and is_mail else None


def _mail_key(kind: str, requester: Requester, number: OrderNumber) -> str:
    return f"{kind}:{requester.turn_id}:{number[-4:]}"


def _log_unavailable(operation: str, error: BackendError | TimeoutError) -> None:
    code = error.code.value if isinstance(error, BackendError) else "timeout"
    log.warning("shop_unavailable", operation=operation, reason=code)
