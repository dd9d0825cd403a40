"""Carrying out the actions of a decision: tools are run, replies worded. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.dialogue.actions import (
    Action,
    Answer,
    Ask,
    Clarify,
    Decision,
    Fallback,
    HandOff,
    Locate,
    Remark,
    Run,
    Welcome,
    action_name,
)
from bot.dialogue.memory import ORDER_NUMBER, Memory
from bot.dialogue.tool_result import remember
from bot.dialogue.topics import CHITCHAT
from bot.tools.tool import Caller, Tools
from bot.turn.plan import Plan
from bot.wording.compose import Composer
from handoff.console.wording import answer_given
from handoff.machine.events import Reason
from knowledge_base.source.intent import Intent, IntentId
from knowledge_base.source.tool_spec import ToolSpecs
from shop.domain.numbers import OrderNumber, show_number


@dataclass(frozen=True, slots=True)
class ActionExecutor:
    """Carries out actions for one customer."""

    intents: Mapping[IntentId, Intent]
    specs: ToolSpecs
    tools: Tools
    composer: Composer
    caller: Caller

    async def carry_out(self, decision: Decision, memory: Memory) -> Plan:
        """Carry out a decision's actions in order, and plan what comes of them."""
        plan = Plan(
            memory=memory,
            actions=tuple(action_name(action) for action in decision.actions),
            recognitions=decision.recognitions,
        )
        for action in decision.actions:
            plan = await self._do(action, plan)
        return self._finished(plan)

    async def _do(self, action: Action, plan: Plan) -> Plan:
        composer = self.composer
        match action:
            case Run():
                return await self._run(action, plan)
            case HandOff():
                plan = self._about(action.intent, plan)
                return replace(plan, lead=composer.lead(action), handoff=Reason(action.reason))
            case Answer():
                return self._answer(action, plan)
            case Ask():
                return self._about(action.intent, plan).saying(composer.ask(action))
            case Clarify():
                reply = composer.clarify(action)
            case Locate():
                reply = composer.locate(action)
            case Fallback():
                reply = composer.fallback(action)
            case Remark():
                reply = composer.remark(action)
            case Welcome():
                reply = composer.welcome(action)
        return plan.saying(reply)

    def _answer(self, action: Answer, plan: Plan) -> Plan:
        plan = self._about(action.intent, plan).saying(self.composer.answer(action))
        if action.intent in CHITCHAT:
            return plan
        told = answer_given(self.intents[action.intent].title)
        return replace(plan, memory=plan.memory.having_tried(told))

    async def _run(self, run: Run, plan: Plan) -> Plan:
        result = await self.tools.run(run, self.caller)
        reason = self.specs[run.tool].outcomes[result.outcome].reason
        taken = {name: run.secrets[name] for name in run.secrets if name not in result.refused}
        plan = self._about(run.intent, plan).saying(self.composer.result(run, result))
        return replace(
            plan,
            memory=remember(plan.memory, run, result, self.specs),
            handoff=plan.handoff or (Reason(reason) if reason else None),
            tool=plan.tool or run.tool,
            outcome=plan.outcome or result.outcome,
            effects=(*plan.effects, *result.effects),
            accepted=(*plan.accepted, *(value.get_secret_value() for value in taken.values())),
        )

    def _about(self, intent: IntentId | None, plan: Plan) -> Plan:
        known = self.intents.get(intent) if intent is not None else None
        return plan.about(intent, known.title if known is not None else None)

    def _finished(self, plan: Plan) -> Plan:
        """Return the plan with what is offered remembered, and a person told what was done."""
        memory = plan.memory
        if plan.replies and plan.replies[-1].buttons:
            offered = tuple((button.id, button.label) for button in plan.replies[-1].buttons)
            memory = replace(memory, offered=offered)
        if plan.handoff is not None:
            memory = replace(memory, pending=None)
        orders = [
            {
                "number": show_number(OrderNumber(number)),
                "state_text": self._state_text(outcome),
            }
            for number, outcome in memory.orders
        ]
        summary = {"wanted": plan.intent_title, "tried": list(memory.tried), "orders": orders}
        return replace(plan, memory=memory, summary=summary)

    def _state_text(self, outcome: str) -> str:
        """An order's state by the outcome of a tool that is about orders, for agents."""
        found = (
            spec.outcomes[outcome].explained
            for spec in self.specs.values()
            if spec.subject == ORDER_NUMBER and outcome in spec.outcomes
        )
        return next(found, outcome)
