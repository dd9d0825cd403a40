"""Actions of a turn: the dialogue decides on them, the planner carries them out in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from knowledge_base.recognition.recognition import Recognition
from knowledge_base.source.intent import IntentId


@dataclass(frozen=True, slots=True)
class Answer:
    """Say an intent's written answer."""

    intent: IntentId


@dataclass(frozen=True, slots=True)
class Clarify:
    """Offer at most three intents: "您是想问…？"."""

    intents: tuple[IntentId, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for a slot.

    Attributes:
        why: ``missing`` at first, ``unreadable`` where the answer could not be read, ``resume``
            after another question in between.
    """

    tool: str
    slot: str
    intent: IntentId
    why: str = "missing"


@dataclass(frozen=True, slots=True)
class Locate:
    """Tell somebody who does not have a slot's value where it is found."""

    tool: str
    slot: str


@dataclass(frozen=True, slots=True)
class Run:
    """Run a tool with what is known.

    Attributes:
        secrets: Values of secret slots; they live for this turn only.
        spoken_of: Slot → value that was spoken of before, for tools that go on from there.
        wants_code: Mail a code to the order's contact instead of asking for a proof.
    """

    tool: str
    intent: IntentId
    slots: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    spoken_of: Mapping[str, str] = field(default_factory=dict)
    wants_code: bool = False


@dataclass(frozen=True, slots=True)
class HandOff:
    """Call a person.

    Attributes:
        reason: One of ``handoff.machine.events.Reason``'s values.
        intent: What the customer wanted, where known; its text is said first.
    """

    reason: str
    intent: IntentId | None = None


@dataclass(frozen=True, slots=True)
class Fallback:
    """Say that it was not understood, and offer ways on."""

    intents: tuple[IntentId, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """Say one of the bot's own sentences (``bot.wording.customer.remarks``), by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """Greet who has just followed, started or entered.

    Attributes:
        text: Of kb.yaml; empty for a greeting with the shop's name.
        intents: Offered under it.
    """

    text: str
    intents: tuple[IntentId, ...] = ()


Action = Answer | Clarify | Ask | Locate | Run | HandOff | Fallback | Remark | Welcome


def action_name(action: Action) -> str:
    """Return the action as ``kefu chat --json`` and the console name it."""
    match action:
        case Answer() | Locate() | Remark() | Welcome():
            return "answer"
        case Clarify():
            return "clarify"
        case Ask(slot=slot):
            return f"ask_slot:{slot}"
        case Run(tool=tool):
            return f"tool:{tool}"
        case HandOff():
            return "handoff"
        case Fallback():
            return "fallback"


@dataclass(frozen=True, slots=True)
class Decision:
    """Actions of a turn, and the questions that were recognised for them."""

    actions: tuple[Action, ...]
    recognitions: tuple[Recognition, ...] = ()
