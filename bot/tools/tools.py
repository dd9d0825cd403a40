"""The bot's tools: they ask the shop's gate, and put what it permits into words' variables.

Nothing here decides what may be shown: that is ``shop.access.disclosure``, behind the gate. A tool
can show nothing that the gate's answer does not hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from pydantic import SecretStr

from bot.dialogue.actions import Run
from bot.tools.effects import StaffAlert
from bot.tools.results import Caller, ToolResult
from connectors.messages import Address, PeerKind
from shop.access.answers import (
    CardView,
    CodeOutcome,
    OrderAnswer,
    OrderOutcome,
    OrderView,
    ProductOutcome,
    ProductView,
    Requester,
    ResendAnswer,
    ResendOutcome,
)
from shop.access.effects import Effect
from shop.access.gate import Gate
from shop.access.wording import REDEMPTION_TEXTS, SHOWN_STATE_TEXTS
from shop.domain.proofs import Proof
from shop.errors import ShopError

log = structlog.get_logger(__name__)

_NEEDS_PERSON = frozenset(
    {
        OrderOutcome.STUCK,
        OrderOutcome.TOPUP_STUCK,
        OrderOutcome.ABNORMAL,
        OrderOutcome.FAILED,
        OrderOutcome.PARTIALLY_DELIVERED,
        OrderOutcome.RISK_HOLD,
    }
)
_OWNER_BUTTONS = ("code", "cancel", "handoff")
_LISTED = 8
VOUCHING_CHANNEL = "app"
"""Only the shop's own app says, signed, who its customers are."""
_MINUTE_S, _HOUR_S = 60, 3600


class ShopTools:
    """Implements ``bot.tools.results.Tools`` over the shop's gate.

    Args:
        timezone: In which times are told.
        has_mail: Whether codes and cards can go by mail.
        vouched: Contacts that the shop's own app vouches for, of who writes there.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        timezone: ZoneInfo,
        has_mail: bool,
        vouched: Callable[[Address], Awaitable[Sequence[str]]],
    ) -> None:
        self._gate = gate
        self._vouched = vouched
        self._timezone = timezone
        self._has_mail = has_mail

    async def run(self, run: Run, caller: Caller) -> ToolResult:
        """Run one tool."""
        is_known = caller.address.ref.channel == VOUCHING_CHANNEL
        vouched = await self._vouched(caller.address) if is_known else ()
        requester = Requester(
            identity=caller.address.identity,
            vouched=tuple(map(SecretStr, vouched)),
            sources=caller.sources,
            is_private=caller.address.kind is PeerKind.PRIVATE,
            turn_id=caller.turn_id,
        )
        try:
            match run.tool:
                case "order_lookup":
                    return await self._order(run, requester, is_english=caller.is_english)
                case "card_resend":
                    return await self._resend(run, requester, is_english=caller.is_english)
                case "card_status":
                    return await self._card(run, requester)
                case "product_lookup":
                    return await self._product(run)
        except ShopError as error:
            log.warning("tool_unavailable", tool=run.tool, error=type(error).__name__)
            return ToolResult("unavailable", reason="tool_error")
        raise AssertionError(f"no such tool: {run.tool}")

    # ------------------------------------------------------------------ orders

    async def _order(self, run: Run, requester: Requester, *, is_english: bool) -> ToolResult:
        number = run.slots["order_number"]
        if run.wants_code:
            return await self._code(run, requester)
        answer = await self._gate.order(requester, number, proof=run.secrets.get("proof"))
        if answer.outcome is OrderOutcome.PRIVATE_ONLY:
            return ToolResult("not_found", remark="group")
        if answer.outcome is OrderOutcome.PROOF_NEEDED:
            return self._asks_proof(run, ToolResult("not_found"), is_optional=False)
        result = ToolResult(
            answer.outcome.value,
            variables=self._order_variables(answer.view, is_english=is_english),
            secrets=_secrets(answer.view),
            accepted=_accepted(run, answer),
            effects=_effects(answer),
            order_number=number if answer.view is not None else None,
            reason=_reason(answer),
        )
        if answer.outcome is OrderOutcome.DELIVERED and not result.secrets:
            # told that it was delivered, the next thing that is wanted are the cards
            return self._asks_proof(run, result, is_optional=True)
        if result.outcome == "not_found":  # the next number that comes corrects this one
            return replace(
                result,
                asks="order_number",
                asks_with=("order_lookup", {}),
                is_optional=True,
                buttons=("handoff",),
            )
        if answer.only_code:
            return self._asks_again(run, replace(result, remark="contested"))
        if result.outcome in {"throttled", "locked"}:
            return replace(result, buttons=("handoff",))
        return result

    async def _resend(self, run: Run, requester: Requester, *, is_english: bool) -> ToolResult:
        if run.wants_code:
            return await self._code(run, requester)
        number = run.slots["order_number"]
        answer = await self._gate.resend(requester, number, proof=run.secrets.get("proof"))
        if answer.outcome is ResendOutcome.PRIVATE_ONLY:
            return ToolResult("not_found", remark="group")
        result = ToolResult(
            answer.outcome.value,
            variables=self._order_variables(answer.view, is_english=is_english),
            secrets=_secrets(answer.view),
            accepted=_accepted(run, answer),
            effects=_effects(answer),
            order_number=number if answer.view is not None else None,
            reason="tool_error" if answer.outcome is ResendOutcome.UNAVAILABLE else None,
        )
        if answer.only_code:
            return self._asks_again(run, replace(result, remark="contested"))
        if answer.outcome is ResendOutcome.PROOF_NEEDED:
            return self._asks_proof(run, result, is_optional=False)
        if answer.outcome is ResendOutcome.NOT_FOUND:
            return self._asks_again(run, result)
        return result

    async def _code(self, run: Run, requester: Requester) -> ToolResult:
        answer = await self._gate.send_code(requester, run.slots["order_number"])
        if answer.outcome is CodeOutcome.PRIVATE_ONLY:
            return ToolResult("not_found", remark="group")
        if answer.outcome is not CodeOutcome.SENT:
            return ToolResult(answer.outcome.value, buttons=("handoff",))
        return ToolResult(
            "proof_needed",
            remark="code_sent",
            effects=answer.effects,
            asks="proof",
            asks_with=("card_resend", dict(run.slots)),
            buttons=("cancel", "handoff"),
        )

    def _asks_proof(self, run: Run, result: ToolResult, *, is_optional: bool) -> ToolResult:
        buttons = _OWNER_BUTTONS if self._has_mail else _OWNER_BUTTONS[1:]
        return replace(
            result,
            asks="proof",
            asks_with=("card_resend", {"order_number": run.slots["order_number"]}),
            is_optional=is_optional,
            buttons=buttons,
        )

    def _asks_again(self, run: Run, result: ToolResult) -> ToolResult:
        """Unknown order and wrong proof look alike: both may be tried again, both end alike."""
        buttons = ("code", "cancel", "handoff") if self._has_mail else ("cancel", "handoff")
        return replace(
            result,
            asks="proof",
            asks_with=("card_resend", {"order_number": run.slots["order_number"]}),
            buttons=buttons,
        )

    def _order_variables(
        self, view: OrderView | None, *, is_english: bool
    ) -> dict[str, dict[str, str]]:
        if view is None:
            return {"order": {}}
        cards = "\n".join(card.get_secret_value() for card in view.cards)
        return {
            "order": {
                "number": view.number,
                "product": view.product,
                "state_text": SHOWN_STATE_TEXTS[view.state],
                "created_at": self._time(view.created_at),
                "paid_at": self._time(view.paid_at),
                "hold_until": self._time(view.hold_until),
                "amount": _yuan(view.amount_fen),
                "cards": cards,
                "promise": _duration(view.promise_s, is_english=is_english),
                "contact_mask": view.contact_mask or "",
            }
        }

    # ------------------------------------------------------------------ cards and products

    async def _card(self, run: Run, requester: Requester) -> ToolResult:
        answer = await self._gate.card(requester, run.secrets["card_secret"])
        if answer.outcome.value == "private_only":
            return ToolResult("not_ours", remark="group")
        typed = run.secrets["card_secret"].get_secret_value()
        result = ToolResult(
            answer.outcome.value,
            variables=self._card_variables(answer.view),
            accepted=() if answer.view is None else (typed,),
        )
        if answer.outcome.value in {"used", "invalid", "frozen", "not_ours", "locked"}:
            return replace(result, buttons=("handoff",))
        return result

    def _card_variables(self, view: CardView | None) -> dict[str, dict[str, str]]:
        if view is None:
            return {"card": {}}
        return {
            "card": {
                "mask": view.mask,
                "product": view.product,
                "state_text": REDEMPTION_TEXTS[view.state],
                "checked_at": self._time(view.checked_at),
                "expires_at": self._date(view.expires_at),
            }
        }

    async def _product(self, run: Run) -> ToolResult:
        answer = await self._gate.products(run.slots["product"])
        last = run.slots.get("last_product")
        if answer.product is None and last is not None:
            # "那多少钱": the product that was spoken of before
            answer = await self._gate.products(last)
        listed = "\n".join(_line(one) for one in answer.products[:_LISTED])
        variables: dict[str, dict[str, str]] = {"products": {"list": listed}, "product": {}}
        if answer.product is not None:
            variables["product"] = {
                "name": answer.product.name,
                "price": _price(answer.product),
                "stock": _stock(answer.product),
            }
        is_open_question = answer.outcome in {ProductOutcome.SEVERAL, ProductOutcome.NONE}
        return ToolResult(
            answer.outcome.value,
            variables=variables,
            product=answer.product.name if answer.product is not None else None,
            asks="product" if is_open_question else None,
            asks_with=("product_lookup", {}) if is_open_question else None,
            is_optional=is_open_question,
            reason="tool_error" if answer.outcome is ProductOutcome.UNAVAILABLE else None,
        )

    # ------------------------------------------------------------------ telling

    def _time(self, at: datetime | None) -> str:
        return at.astimezone(self._timezone).strftime("%m月%d日 %H:%M") if at is not None else ""

    def _date(self, at: datetime | None) -> str:
        return at.astimezone(self._timezone).strftime("%Y年%m月%d日") if at is not None else ""


def _reason(answer: OrderAnswer | ResendAnswer) -> str | None:
    if answer.outcome is OrderOutcome.UNAVAILABLE:
        return "tool_error"
    return "intent" if answer.outcome in _NEEDS_PERSON else None


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen / 100:.2f} 元"


def _duration(seconds: int, *, is_english: bool = False) -> str:
    """A promise as people say it.

    >>> _duration(10), _duration(1800), _duration(7200, is_english=True)
    ('10 秒', '30 分钟', '2 hours')
    """
    units = ("seconds", "minutes", "hours") if is_english else ("秒", "分钟", "小时")
    if seconds < _MINUTE_S:
        return f"{seconds} {units[0]}"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S} {units[1]}"
    return f"{seconds / _HOUR_S:g} {units[2]}"


def _effects(answer: OrderAnswer | ResendAnswer) -> tuple[Effect | StaffAlert, ...]:
    """What to do with the turn; staff hear of somebody who guesses at an order."""
    return (
        (*answer.effects, StaffAlert("proof_locked")) if answer.is_newly_locked else answer.effects
    )


def _accepted(run: Run, answer: OrderAnswer | ResendAnswer) -> tuple[str, ...]:
    """The proof that was typed, where it was one."""
    typed = run.secrets.get("proof")
    is_taken = any(isinstance(effect, Proof) for effect in answer.effects)
    return (typed.get_secret_value(),) if typed is not None and is_taken else ()


def _secrets(view: OrderView | None) -> tuple[str, ...]:
    return () if view is None else tuple(card.get_secret_value() for card in view.cards)


def _price(product: ProductView) -> str:
    return f"{product.price.normalize():f}"


def _stock(product: ProductView) -> str:
    if product.stock is None:
        return "有货"
    return f"{product.stock} 件" if product.stock else "缺货"


def _line(product: ProductView) -> str:
    return f"· {product.name}  {_price(product)} 元（{_stock(product)}）"
