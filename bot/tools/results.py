"""What a tool found, ready to be worded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.dialogue.actions import Run
from connectors.messages import Address


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a tool runs.

    Attributes:
        sources: Throttle keys beside the identity.
        turn_id: Idempotency key of a tool's effects.
    """

    address: Address
    sources: tuple[str, ...]
    turn_id: str
    conversation_id: str
    is_english: bool = False


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How a tool's call ended.

    Attributes:
        outcome: One of the tool's outcomes (``bot.tools.spec``).
        variables: For the wording, nested: ``{"order": {"number": …}}``.
        secrets: Values in the variables that must be sealed in the stored text.
        accepted: What the customer typed and the gate took: sealed wherever it was said before.
        asks: The slot to ask for next; ``None`` if nothing is needed.
        asks_with: The tool that the answer belongs to, and what it knows already.
        is_optional: The customer has an answer; the asked slot would only add to it.
        reason: Set where a person is needed (``handoff.machine.events.Reason``).
        effects: To be applied in the turn's own unit, by whoever made them.
        buttons: Ids of ``bot.wording.customer.BUTTONS`` to offer.
    """

    outcome: str
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    accepted: tuple[str, ...] = field(default=(), repr=False)
    remark: str | None = None
    asks: str | None = None
    asks_with: tuple[str, Mapping[str, str]] | None = None
    is_optional: bool = False
    reason: str | None = None
    effects: tuple[Any, ...] = field(default=(), repr=False)
    buttons: tuple[str, ...] = ()
    order_number: str | None = None
    product: str | None = None


class Tools(Protocol):
    """Runs tools by name."""

    async def run(self, run: Run, caller: Caller) -> ToolResult:
        """Run one tool; a shop that cannot be reached is the outcome ``unavailable``."""
        ...
