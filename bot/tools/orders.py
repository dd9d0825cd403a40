"""Orders: the state of an order by its number."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue.actions import Run
from bot.dialogue.tool_result import SlotRequest, ToolResult
from bot.tools.order_answers import answered, asking_proof, in_group
from bot.tools.order_slots import ORDER_NUMBER, ORDER_VARIABLES, PROOF
from bot.tools.tool import Tool, ToolContext
from bot.wording.customer.orders import ORDER_OUTCOMES
from knowledge_base.source.tool_spec import ToolSpec
from shop.access.answers import OrderOutcome


async def look_up(run: Run, context: ToolContext) -> ToolResult:
    """Look up an order; its cards are shown to who proves that it is theirs."""
    number, proof = run.slots[ORDER_NUMBER.name], run.secrets.get(PROOF.name)
    answer = await context.gate.order(context.requester, number, proof=proof)
    if answer.outcome is OrderOutcome.PRIVATE_ONLY:
        return in_group()
    if answer.outcome is OrderOutcome.PROOF_NEEDED:
        refused = ToolResult("not_found", refused=(PROOF.name,))
        return asking_proof(run, refused, context)
    result = answered(run, answer, context)
    if answer.outcome is OrderOutcome.DELIVERED and not result.secrets:
        # told that it was delivered, the next thing that is wanted are the cards
        return asking_proof(run, result, context, is_optional=True)
    if answer.outcome is OrderOutcome.NOT_FOUND:  # the next number that comes corrects this one
        again = SlotRequest(run.tool, ORDER_NUMBER.name, is_optional=True)
        return replace(result, asks=again, buttons=("handoff",))
    if answer.only_code:
        return asking_proof(run, replace(result, remark="contested"), context)
    if answer.outcome in {OrderOutcome.THROTTLED, OrderOutcome.LOCKED}:
        return replace(result, buttons=("handoff",))
    return result


ORDER_LOOKUP = Tool(
    ToolSpec(
        name="order_lookup",
        title="查订单",
        intent="order_status",
        slots=(ORDER_NUMBER, PROOF),
        variables=ORDER_VARIABLES,
        outcomes=ORDER_OUTCOMES,
    ),
    look_up,
)
