"""Cards again: shown or mailed to who proves that the order is theirs."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue.actions import Run
from bot.dialogue.tool_result import ToolResult
from bot.tools.order_answers import answered, asking_proof, in_group, send_code
from bot.tools.order_slots import ORDER_NUMBER, ORDER_VARIABLES, PROOF
from bot.tools.tool import Tool, ToolContext
from bot.wording.customer.orders import RESEND_OUTCOMES
from knowledge_base.source.tool_spec import ToolSpec
from shop.access.answers import ResendOutcome

# unknown order and wrong proof look alike: both may be tried again, both end alike
_ASKS_PROOF = frozenset({ResendOutcome.PROOF_NEEDED, ResendOutcome.NOT_FOUND})


async def resend(run: Run, context: ToolContext) -> ToolResult:
    """Show or mail an order's cards, or a code that proves whose order it is."""
    if run.wants_code:
        return await send_code(run, context)
    number, proof = run.slots[ORDER_NUMBER.name], run.secrets.get(PROOF.name)
    answer = await context.gate.resend(context.requester, number, proof=proof)
    if answer.outcome is ResendOutcome.PRIVATE_ONLY:
        return in_group()
    result = answered(run, answer, context)
    if answer.only_code:
        return asking_proof(run, replace(result, remark="contested"), context)
    if answer.outcome in _ASKS_PROOF:
        return asking_proof(run, result, context)
    return result


CARD_RESEND = Tool(
    ToolSpec(
        name="card_resend",
        title="补发卡密",
        intent="order_resend",
        slots=(ORDER_NUMBER, PROOF),
        variables=ORDER_VARIABLES,
        outcomes=RESEND_OUTCOMES,
        shows_again=True,
    ),
    resend,
)
