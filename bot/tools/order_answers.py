"""Results that tools about an order share: the gate's answers, requests for a proof."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue.actions import Run
from bot.dialogue.tool_result import SlotRequest, ToolResult
from bot.tools.effects import StaffAlert
from bot.tools.order_slots import ORDER_NUMBER, PROOF
from bot.tools.tool import ToolContext
from bot.wording.customer.values import duration, time, yuan
from shop.access.answers import CodeOutcome, OrderAnswer, OrderView, ResendAnswer
from shop.access.effects import Effect
from shop.access.wording import SHOWN_STATE_TEXTS
from shop.domain.proofs import Proof

CARD_RESEND = "card_resend"
"""Once it is proved whose order it is, the cards are shown."""
_OWNER_BUTTONS = ("code", "cancel", "handoff")


def answered(run: Run, answer: OrderAnswer | ResendAnswer, context: ToolContext) -> ToolResult:
    """Return the result of an answer of the gate, whatever its outcome."""
    view = answer.view
    number = run.slots[ORDER_NUMBER.name]
    cards = () if view is None else view.cards
    return ToolResult(
        answer.outcome.value,
        variables={"order": {} if view is None else _variables(view, context)},
        secrets=tuple(card.get_secret_value() for card in cards),
        refused=() if _is_proved(answer) else (PROOF.name,),
        effects=_effects(answer),
        spoken_of={} if view is None else {ORDER_NUMBER.name: number},
    )


def in_group() -> ToolResult:
    """Return the result for a group, where nothing of an order is said."""
    return ToolResult("not_found", remark="group", refused=(PROOF.name,))


def asking_proof(
    run: Run, result: ToolResult, context: ToolContext, *, is_optional: bool = False
) -> ToolResult:
    """Return the result with a request for a proof, after which the cards are shown."""
    number = {ORDER_NUMBER.name: run.slots[ORDER_NUMBER.name]}
    return replace(
        result,
        asks=SlotRequest(CARD_RESEND, PROOF.name, number, is_optional),
        buttons=_OWNER_BUTTONS if context.has_mail else _OWNER_BUTTONS[1:],
    )


async def send_code(run: Run, context: ToolContext) -> ToolResult:
    """Mail a code to the contact of the order, and ask for it."""
    number = run.slots[ORDER_NUMBER.name]
    answer = await context.gate.send_code(context.requester, number)
    if answer.outcome is CodeOutcome.PRIVATE_ONLY:
        return in_group()
    if answer.outcome is not CodeOutcome.SENT:
        return ToolResult(answer.outcome.value, buttons=("handoff",))
    return ToolResult(
        "proof_needed",
        remark="code_sent",
        effects=answer.effects,
        asks=SlotRequest(CARD_RESEND, PROOF.name, {ORDER_NUMBER.name: number}),
        buttons=("cancel", "handoff"),
    )


def _is_proved(answer: OrderAnswer | ResendAnswer) -> bool:
    """Tell whether what was typed proved something: then it is sealed wherever it was said."""
    return any(isinstance(effect, Proof) for effect in answer.effects)


def _effects(answer: OrderAnswer | ResendAnswer) -> tuple[Effect | StaffAlert, ...]:
    """Return what to do with the turn; staff hear of somebody who guesses at an order."""
    alert = (StaffAlert("proof_locked"),) if answer.is_newly_locked else ()
    return (*answer.effects, *alert)


def _variables(view: OrderView, context: ToolContext) -> dict[str, str]:
    return {
        "number": view.number,
        "product": view.product,
        "state_text": SHOWN_STATE_TEXTS[view.state],
        "created_at": time(view.created_at, context.zone),
        "paid_at": time(view.paid_at, context.zone),
        "hold_until": time(view.hold_until, context.zone),
        "amount": yuan(view.amount_fen),
        "cards": "\n".join(card.get_secret_value() for card in view.cards),
        "promise": duration(view.promise_s, is_english=context.is_english),
        "contact_mask": view.contact_mask or "",
    }
