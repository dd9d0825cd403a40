"""Messages: the transcript, and what agents write into it."""

from __future__ import annotations

from connectors.messages import MessageId
from handoff.api.models import MessageIn, MessageOut, MessagesOut, MessagesQuery
from handoff.api.routing import Call, Route
from handoff.conversation import ConversationId
from handoff.errors import NoSuchConversation, NotFound
from handoff.ports import Units
from handoff.service import Draft, Service
from handoff.transcript import Message
from handoff.views import ViewWork, message_out

_ALL = "/conversations/{conversation_id}/messages"
_NEWEST = 2**31 - 1


class MessagesApi:
    """Serves ``/conversations/…/messages``."""

    def __init__(self, units: Units[ViewWork], service: Service) -> None:
        self._units = units
        self._service = service

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
                errors=(409,),
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
            return MessagesOut(
                items=[message_out(one) for one in shown], has_more=len(found) > asked.limit
            )

        return await self._units.read(unit)

    async def message(self, call: Call) -> MessageOut:
        """One line."""
        conversation_id = ConversationId(call.path("conversation_id"))
        message_id = MessageId(call.path("message_id"))
        found = await self._units.read(lambda work: work.messages.get(message_id))
        if found is None or found.conversation_id != conversation_id:
            raise NotFound("没有这条消息")
        return message_out(found)

    async def write(self, call: Call) -> MessageOut:
        """Write to the customer, or a note to colleagues."""
        asked = call.body(MessageIn)
        conversation_id = ConversationId(call.path("conversation_id"))
        draft = Draft(asked.client_id, asked.text, tuple(asked.attachment_ids))
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
        return message_out(message)

    async def _stored(self, message: Message) -> MessageOut:
        """As it is now: it may have been sent already."""
        found = await self._units.read(lambda work: work.messages.get(message.id))
        return message_out(found or message)
