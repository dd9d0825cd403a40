"""Messages: the transcript, and what agents write into it."""

from __future__ import annotations

from connectors.messages import ChannelRef, MessageId
from handoff.console.actions import Draft, Service, ServiceWork
from handoff.console.api.channels import ChannelsOf, require_sendable
from handoff.console.api.routing import Call, Route
from handoff.console.models import (
    MessageIn,
    MessageOut,
    MessagesOut,
    MessagesQuery,
)
from handoff.console.views import ViewWork, message_out, message_outs
from handoff.errors import NoSuchConversation, NotFound
from handoff.model.conversation import ConversationId
from handoff.model.ports import Units
from handoff.model.transcript import Message

_ALL = "/conversations/{conversation_id}/messages"
_NEWEST = 2**31 - 1


class MessagesApi:
    """Serves ``/conversations/…/messages``."""

    def __init__(self, units: Units[ServiceWork], service: Service, channels: ChannelsOf) -> None:
        self._units = units
        self._service = service
        self._channels = channels

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "GET",
                _ALL,
                self.messages,
                "A stretch of the transcript, ascending",
                query=MessagesQuery,
                answer=MessagesOut,
                errors=(422,),
            ),
            Route(
                "POST",
                _ALL,
                self.write,
                "Write to the customer, or a note to colleagues; once a client_id",
                body=MessageIn,
                answer=MessageOut,
                errors=(409, 422),
            ),
            Route("GET", _ALL + "/{message_id}", self.message, "One line", answer=MessageOut),
            Route(
                "POST",
                _ALL + "/{message_id}/retry",
                self.retry,
                "Send again what failed",
                answer=MessageOut,
                errors=(422,),
            ),
        ]

    async def messages(self, call: Call) -> MessagesOut:
        """A stretch of the transcript: one more than asked for tells whether there is more."""
        asked = call.query(MessagesQuery)
        conversation_id = ConversationId(call.path("conversation_id"))

        def unit(work: ViewWork) -> MessagesOut:
            if work.conversations.get(conversation_id) is None:
                raise NoSuchConversation(conversation_id)
            limit = asked.limit + 1
            if asked.after is not None:
                found = work.messages.after(conversation_id, asked.after, limit)
                shown = found[: asked.limit]
            else:
                before = _NEWEST if asked.before is None else asked.before
                found = work.messages.before(conversation_id, before, limit)
                shown = found[-asked.limit :]
            return MessagesOut(items=message_outs(work, shown), has_more=len(found) > asked.limit)

        return await self._units.read(unit)

    async def message(self, call: Call) -> MessageOut:
        """One line."""
        conversation_id = ConversationId(call.path("conversation_id"))
        message_id = MessageId(call.path("message_id"))

        def unit(work: ViewWork) -> MessageOut:
            found = work.messages.get(message_id)
            if found is None or found.conversation_id != conversation_id:
                raise NotFound("没有这条消息")
            return message_out(work, found)

        return await self._units.read(unit)

    async def write(self, call: Call) -> MessageOut:
        """Write to the customer, or a note to colleagues."""
        asked = call.body(MessageIn)
        conversation_id = ConversationId(call.path("conversation_id"))
        draft = Draft(asked.client_id, asked.text, tuple(asked.attachment_ids))
        if draft.attachment_ids and not asked.note:
            await self._require_sendable(conversation_id, draft)
        if asked.note:
            message = await self._service.note(call.agent, conversation_id, draft)
        else:
            message = await self._service.reply(
                call.agent, conversation_id, draft, takes_over=asked.takeover
            )
        return await self._stored(message)

    async def retry(self, call: Call) -> MessageOut:
        """Send again what failed."""
        message = await self._service.retry(
            ConversationId(call.path("conversation_id")), MessageId(call.path("message_id"))
        )
        return await self._stored(message)

    async def _require_sendable(self, conversation_id: ConversationId, draft: Draft) -> None:
        """Refuse files that the conversation's channel cannot send."""

        def unit(work: ServiceWork) -> tuple[ChannelRef, list[str]]:
            found = work.conversations.get(conversation_id)
            if found is None:
                raise NoSuchConversation(conversation_id)
            files = [work.attachments.get(one) for one in draft.attachment_ids]
            return found.address.ref, [one[0].kind for one in files if one is not None]

        ref, kinds = await self._units.read(unit)
        require_sendable(self._channels(), ref, kinds)

    async def _stored(self, message: Message) -> MessageOut:
        """As it is now: it may have been sent already."""
        return await self._units.read(
            lambda work: message_out(work, work.messages.get(message.id) or message)
        )
