"""Filling a tool's slots, by its declaration alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import SecretStr

from bot.dialogue.actions import Ask, Run
from bot.dialogue.memory import Memory, PendingTool
from bot.dialogue.utterance import Utterance
from knowledge_base.source.intent import IntentId
from knowledge_base.source.tool_spec import Slot, ToolSpec

Values = Mapping[str, str]
"""Slot → value."""


def said_in(spec: ToolSpec, utterance: Utterance) -> dict[str, str]:
    """Return what the utterance holds for the slots of a tool."""
    names = [slot.name for slot in spec.slots]
    return {name: utterance.values[name] for name in names if name in utterance.values}


def asked_in(spec: ToolSpec, question: str) -> dict[str, str]:
    """Return what a question says by being asked: "steam 50 多少钱" names the product."""
    return {slot.name: question for slot in spec.slots if slot.from_question}


def remembered(spec: ToolSpec, intent: IntentId, memory: Memory) -> dict[str, str]:
    """Return what was spoken of lately and may be meant by the intent."""
    last_outcome = memory.orders[-1][1] if memory.orders else ""
    return {
        slot.name: memory.spoken_of[slot.name].value
        for slot in spec.slots
        if slot.stays_turns
        and memory.is_near(slot.name, slot.stays_turns)
        and slot.may_mean(intent, last_outcome)
    }


def answered(
    pending: PendingTool, spec: ToolSpec, utterance: Utterance, *, is_interrupted: bool
) -> dict[str, str] | None:
    """Return what is known of a tool's slots once a question was answered.

    A value that corrects another slot answers as well: "不对，是 DD…" instead of a password.

    Args:
        is_interrupted: The utterance asks something else; then only what has a form is an answer.

    Returns:
        ``None`` if the utterance is no answer.
    """
    asked = spec.slot(pending.asking)
    typed = utterance.text.strip()
    said = said_in(spec, utterance)
    if asked is None:
        return None
    if not said and not is_interrupted and 0 < len(typed) <= asked.answer_chars:
        said = {asked.name: typed}
    known = {**pending.slots, **said}
    is_left_out = asked.is_required and asked.name not in known
    return known if said and not is_left_out else None


def missing(spec: ToolSpec, known: Values) -> Slot | None:
    """Return the slot to ask for before the tool can run; ``None`` if it can."""
    return next((slot for slot in spec.slots if slot.is_required and slot.name not in known), None)


def call(
    spec: ToolSpec, intent: IntentId, known: Values, memory: Memory
) -> tuple[Run | Ask, Memory]:
    """Run a tool, or ask for the first slot that it lacks."""
    lacking = missing(spec, known)
    if lacking is None:
        return _run(spec, intent, known, memory), memory
    running = memory.pending
    if running is not None and not running.is_optional and running.asking == lacking.name:
        return Ask(spec.name, lacking.name, IntentId(running.intent)), memory
    return Ask(spec.name, lacking.name, intent), replace(
        memory,
        pending=PendingTool(
            tool=spec.name,
            intent=intent,
            asking=lacking.name,
            slots={name: known[name] for name in known if not _is_secret(spec, name)},
            is_secret=lacking.is_secret,
        ),
    )


def _run(spec: ToolSpec, intent: IntentId, known: Values, memory: Memory) -> Run:
    return Run(
        tool=spec.name,
        intent=intent,
        slots={name: value for name, value in known.items() if not _is_secret(spec, name)},
        secrets={name: SecretStr(value) for name, value in known.items() if _is_secret(spec, name)},
        spoken_of={name: mention.value for name, mention in memory.spoken_of.items()},
    )


def _is_secret(spec: ToolSpec, name: str) -> bool:
    slot = spec.slot(name)
    return slot is not None and slot.is_secret
