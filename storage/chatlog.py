"""A visitor's transcript as the visitor may see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connectors.messages import Address, ChannelRef, MessageId, Outbound
from connectors.web.hub import ChatState
from handoff.model.conversation import Conversation, State
from handoff.model.transcript import DeliveryState, Message, MessageKind
from storage.rows.messages.customer_view import VERIFY, VERIFY_LABELS, ShownLine
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork

AgentName = Callable[[UnitOfWork, str], str | None]


class StoredChatLog:
    """Implements ``connectors.web.hub.ChatLog``."""

    def __init__(self, storage: Storage, agent_name: AgentName) -> None:
        self._storage = storage
        self._agent_name = agent_name

    async def after(
        self, ref: ChannelRef, visitor_id: str, seq: int, limit: int
    ) -> Sequence[Outbound]:
        """Return lines with a greater place, ascending."""

        def unit(work: UnitOfWork) -> Sequence[Outbound]:
            conversation = _conversation(work, ref, visitor_id)
            if conversation is None:
                return []
            found: list[Outbound] = []
            cursor = seq
            # hidden lines count towards the database's limit, not towards the caller's
            while len(found) < limit:
                page = work.messages.after(conversation.id, cursor, limit)
                found += _visible(work, conversation, page)
                if len(page) < limit:
                    break
                cursor = page[-1].seq
            return found[:limit]

        return await self._storage.read(unit)

    async def before(
        self, ref: ChannelRef, visitor_id: str, seq: int, limit: int
    ) -> Sequence[Outbound]:
        """Return the last lines with a smaller place, ascending."""

        def unit(work: UnitOfWork) -> Sequence[Outbound]:
            conversation = _conversation(work, ref, visitor_id)
            if conversation is None:
                return []
            found: list[Outbound] = []
            cursor = seq
            while len(found) < limit:
                page = work.messages.before(conversation.id, cursor, limit)
                found = [*_visible(work, conversation, page), *found]
                if len(page) < limit:
                    break
                cursor = page[0].seq
            return found[-limit:]

        return await self._storage.read(unit)

    async def state(self, ref: ChannelRef, visitor_id: str) -> ChatState:
        """Return the state of the conversation, as the page shows it."""

        def unit(work: UnitOfWork) -> ChatState:
            conversation = _conversation(work, ref, visitor_id)
            if conversation is None:
                return ChatState()
            agent = None
            if conversation.state is State.AGENT and conversation.assignee is not None:
                agent = self._agent_name(work, conversation.assignee)
            return ChatState(
                state=conversation.state.value,
                agent=agent,
                mode=conversation.mode.value if conversation.mode is not None else None,
                position=work.conversations.position(conversation),
                last_seq=conversation.last_seq,
            )

        return await self._storage.read(unit)

    async def button_label(
        self, ref: ChannelRef, visitor_id: str, message_id: str, button: str
    ) -> str | None:
        """Return the label of a button that this visitor was offered."""

        def unit(work: UnitOfWork) -> str | None:
            conversation = _conversation(work, ref, visitor_id)
            message = work.messages.get(MessageId(message_id))
            if conversation is None or message is None:
                return None
            if message.conversation_id != conversation.id:
                return None
            if button.partition(":")[0] == VERIFY:
                return VERIFY_LABELS["en" if conversation.locale == "en" else "zh"]
            return next(
                (offered.label for offered in message.buttons if offered.id == button), None
            )

        return await self._storage.read(unit)


def _conversation(work: UnitOfWork, ref: ChannelRef, visitor_id: str) -> Conversation | None:
    return work.conversations.of_address(Address(ref, peer_id=visitor_id, user_id=visitor_id))


def _visible(
    work: UnitOfWork, conversation: Conversation, page: Sequence[Message]
) -> list[Outbound]:
    view = work.view_of(conversation)
    return [
        _line(conversation, message, view.of(message))
        for message in page
        if message.kind is not MessageKind.NOTE and message.delivery is not DeliveryState.CANCELLED
    ]


def _line(conversation: Conversation, message: Message, shown: ShownLine) -> Outbound:
    return Outbound(
        outbox_id="",
        address=conversation.address,
        message_id=message.id,
        seq=message.seq,
        text=shown.text,
        author=message.author.value,
        author_name=message.author_name,
        at=message.at,
        kind=message.kind.value,
        client_id=message.client_id,
        buttons=message.buttons,
        attachments=shown.attachments,
        verify=shown.verify,
    )
