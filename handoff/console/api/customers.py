"""The customer beside the conversation: who, what was proved, which orders, earlier segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from handoff.console.api.routing import Call, Route
from handoff.console.models import (
    CustomerOut,
    EarlierOut,
    OrderOut,
    ProfileOut,
    ProofOut,
)
from handoff.console.views import ViewWork, earlier
from handoff.errors import NoSuchConversation, PanelUnavailable
from handoff.model.conversation import Conversation, ConversationId
from handoff.model.ports import Units

log = structlog.get_logger(__name__)


class CustomerPanel(Protocol):
    """What the shop shows agents of a customer: only what was proved, cards masked."""

    async def panel(self, identity: str) -> Mapping[str, Any]:
        """``proofs`` and ``orders`` of this channel identity, as JSON.

        Raises:
            PanelUnavailable: The shop does not answer.
        """
        ...


class CustomersApi:
    """Serves ``/conversations/…/customer``."""

    def __init__(self, units: Units[ViewWork], panel: CustomerPanel) -> None:
        self._units = units
        self._panel = panel

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "GET",
                "/conversations/{conversation_id}/customer",
                self.customer,
                "Who writes, what was proved, which orders, earlier segments",
                answer=CustomerOut,
            )
        ]

    async def customer(self, call: Call) -> CustomerOut:
        """The panel beside the conversation."""
        conversation_id = ConversationId(call.path("conversation_id"))
        conversation, profile, before = await self._units.read(
            lambda work: _stored(work, conversation_id)
        )
        shown: Mapping[str, Any] = {}
        problem = None
        try:
            shown = await self._panel.panel(conversation.address.identity)
        except PanelUnavailable as error:
            log.warning("customer_panel_unavailable", reason=str(error)[:200])
            problem = "商城暂时没有响应，订单稍后再看"
        return CustomerOut(
            customer=profile,
            proofs=[ProofOut.model_validate(one) for one in shown.get("proofs", ())],
            orders=[OrderOut.model_validate(one) for one in shown.get("orders", ())],
            earlier=before,
            problem=problem,
        )


def _stored(
    work: ViewWork, conversation_id: ConversationId
) -> tuple[Conversation, ProfileOut, list[EarlierOut]]:
    conversation = work.conversations.get(conversation_id)
    if conversation is None:
        raise NoSuchConversation(conversation_id)
    customer_id = conversation.customer_id
    profile = ProfileOut(
        id=customer_id,
        name=work.customers.name(customer_id),
        channel=conversation.address.ref.channel,
        first_seen_at=work.customers.first_seen_at(customer_id),
        segments_count=len(work.segments.of_conversation(conversation.id)),
    )
    return conversation, profile, earlier(work, conversation)
