"""Conversations: the lists, one of them, and what agents do with it."""

from __future__ import annotations

from datetime import datetime

from handoff.console.actions import Draft, Service
from handoff.console.api.errors import ApiError
from handoff.console.api.routing import Call, Route
from handoff.console.models import (
    ClaimIn,
    CloseIn,
    ConversationOut,
    Empty,
    ListQuery,
    ReadIn,
    Row,
    RowsOut,
    TransferIn,
)
from handoff.console.views import (
    ViewWork,
    counts,
    row,
    rows,
    summary,
)
from handoff.errors import NoSuchConversation
from handoff.model.conversation import Conversation, ConversationId
from handoff.model.ports import Units

_ONE = "/conversations/{conversation_id}"


class ConversationsApi:
    """Serves ``/conversations``."""

    def __init__(self, units: Units[ViewWork], service: Service) -> None:
        self._units = units
        self._service = service

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "GET",
                "/conversations",
                self.conversations,
                "A page of a list",
                query=ListQuery,
                answer=RowsOut,
                errors=(422,),
            ),
            Route("GET", _ONE, self.conversation, "One conversation", answer=ConversationOut),
            Route(
                "POST",
                _ONE + "/claim",
                self.claim,
                "Take it out of the queue; the loser of a race learns who has it",
                body=ClaimIn,
                answer=Row,
                errors=(409,),
            ),
            Route(
                "POST",
                _ONE + "/transfer",
                self.transfer,
                "Pass it on to a colleague, or to the queue, with a note",
                body=TransferIn,
                answer=Row,
                errors=(409,),
            ),
            Route(
                "POST",
                _ONE + "/give-back",
                self.give_back,
                "Leave the rest to the bot",
                body=Empty,
                answer=Row,
                errors=(409,),
            ),
            Route(
                "POST",
                _ONE + "/close",
                self.close,
                "End it, after a last word",
                body=CloseIn,
                answer=Row,
                errors=(409,),
            ),
            Route("POST", _ONE + "/read", self.read, "Seen up to a place", body=ReadIn),
            Route("POST", _ONE + "/typing", self.typing, "The assignee writes"),
        ]

    async def conversations(self, call: Call) -> RowsOut:
        """A page of a list."""
        asked = call.query(ListQuery)
        agent_id = call.agent.id
        before = _cursor(asked.before)

        def unit(work: ViewWork) -> RowsOut:
            page, after = work.conversations.page(
                asked.view, agent_id, limit=asked.limit, before=before
            )
            return RowsOut(items=rows(work, page), next=after, counts=counts(work, agent_id))

        return await self._units.read(unit)

    async def conversation(self, call: Call) -> ConversationOut:
        """One conversation."""
        conversation_id = _id(call)

        def unit(work: ViewWork) -> ConversationOut:
            found = work.conversations.get(conversation_id)
            if found is None:
                raise NoSuchConversation(conversation_id)
            return ConversationOut(row=row(work, found), summary=summary(found))

        return await self._units.read(unit)

    async def claim(self, call: Call) -> Row:
        """Take it out of the queue."""
        return await self._row(await self._service.claim(call.agent, _id(call)))

    async def transfer(self, call: Call) -> Row:
        """Pass it on."""
        asked = call.body(TransferIn)
        return await self._row(
            await self._service.transfer(call.agent, _id(call), to=asked.to, note=asked.note)
        )

    async def give_back(self, call: Call) -> Row:
        """Leave the rest to the bot."""
        return await self._row(await self._service.give_back(call.agent, _id(call)))

    async def close(self, call: Call) -> Row:
        """End it, after a last word."""
        asked = call.body(CloseIn)
        has_word = asked.text is not None and asked.text.strip()
        last_word = Draft(asked.client_id or "", asked.text or "") if has_word else None
        return await self._row(await self._service.close(call.agent, _id(call), last_word))

    async def read(self, call: Call) -> None:
        """Seen up to a place."""
        await self._service.read(_id(call), call.body(ReadIn).seq)

    async def typing(self, call: Call) -> None:
        """The assignee writes."""
        await self._service.typing(call.agent, _id(call))

    async def _row(self, conversation: Conversation) -> Row:
        """As it is now, read after the commit."""

        def unit(work: ViewWork) -> Row:
            return row(work, work.conversations.get(conversation.id) or conversation)

        return await self._units.read(unit)


def _id(call: Call) -> ConversationId:
    return ConversationId(call.path("conversation_id"))


def _cursor(before: str | None) -> str | None:
    """The page's cursor, given back as it was given out.

    Raises:
        ApiError: It was not.
    """
    if before is None:
        return None
    before = before.replace(" ", "+")  # a plus sign that was not escaped arrives as a space
    try:
        is_aware = datetime.fromisoformat(before.partition("|")[0]).tzinfo is not None
    except ValueError:
        is_aware = False
    if not is_aware:
        raise ApiError(422, "invalid", "请检查：before（格式不对）")
    return before
