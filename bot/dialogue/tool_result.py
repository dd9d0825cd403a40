"""Result of a tool's call, ready to be remembered and worded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.dialogue.actions import Run
from bot.dialogue.memory import Memory, PendingTool
from knowledge_base.source.tool_spec import ToolSpecs


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """A slot that the customer is to be asked for after a tool's answer.

    Attributes:
        tool: Runs with the answer; it may be another one than that which asks.
        slots: What it knows already.
        is_optional: The customer has an answer; the slot would only add to it.
    """

    tool: str
    slot: str
    slots: Mapping[str, str] = field(default_factory=dict)
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class ToolResult:
    """End of a tool's call.

    Attributes:
        outcome: One of the outcomes that the tool declares.
        variables: For the wording, nested: ``{"order": {"number": …}}``.
        secrets: Values in the variables that must be sealed in the stored text.
        refused: Secret slots whose value proved to be none: they stay readable where they were
            said. All others are sealed everywhere.
        remark: Said instead of the outcome's words (``bot.wording.customer.remarks``).
        asks: What to ask for next; ``None`` if nothing is needed.
        effects: To be applied in the turn's own unit, by whoever made them.
        buttons: Ids of ``bot.wording.customer.remarks.BUTTONS`` to offer.
        spoken_of: Slot → value: what the answer is about, and what comes next may be about too.
    """

    outcome: str
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    refused: tuple[str, ...] = ()
    remark: str | None = None
    asks: SlotRequest | None = None
    effects: tuple[Any, ...] = field(default=(), repr=False)
    buttons: tuple[str, ...] = ()
    spoken_of: Mapping[str, str] = field(default_factory=dict)


def remember(memory: Memory, run: Run, result: ToolResult, specs: ToolSpecs) -> Memory:
    """Return the memory after a tool has run."""
    spec = specs[run.tool]
    tries = memory.pending.tries if memory.pending is not None else 0
    pending = _pending(result.asks, run, specs, tries) if result.asks is not None else None
    memory = replace(memory, pending=pending)
    if result.spoken_of:
        memory = memory.having_spoken_of(result.spoken_of, result.outcome)
    return memory.having_tried(f"{spec.title}：{spec.outcomes[result.outcome].explained}")


def _pending(asks: SlotRequest, run: Run, specs: ToolSpecs, tries: int) -> PendingTool:
    slot = specs[asks.tool].slot(asks.slot)
    return PendingTool(
        tool=asks.tool,
        intent=run.intent,
        asking=asks.slot,
        slots=dict(asks.slots),
        is_secret=slot is None or slot.is_secret,
        tries=tries,
        is_optional=asks.is_optional,
    )
