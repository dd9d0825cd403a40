"""What agents do with conversations: each a use case, each one unit of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from connectors.messages import Address, Attachment, MediaState, MessageId
from handoff.auth.agents import Agent, Role
from handoff.console.reveals import Reveals
from handoff.console.views import ViewWork
from handoff.desk.append import append_message, sealed
from handoff.desk.desk import Desk
from handoff.errors import AlreadyClaimed, IllegalTransition, NotAssignee, NotFound, Refused
from handoff.machine.events import (
    Acted,
    AgentLeft,
    AgentSent,
    Claimed,
    Closed,
    Event,
    GivenBack,
    Transferred,
)
from handoff.model.conversation import (
    AgentId,
    Conversation,
    ConversationId,
    State,
)
from handoff.model.live_events import LiveEventKind
from handoff.model.ports import Clock, Sealer, Units
from handoff.model.transcript import Author, Message, MessageKind

T = TypeVar("T")
MAX_ATTACHMENTS = 10


class Attachments(Protocol):
    """What is known of stored files."""

    def add(
        self,
        attachment: Attachment,
        *,
        owner: str,
        at: datetime,
        loose_until: datetime | None = None,
    ) -> None:
        """Store what is known of a file; one that no message carries by then goes."""

    def attach(self, ids: Sequence[str]) -> None:
        """A message carries them: they stay."""

    def get(self, attachment_id: str) -> tuple[Attachment, str] | None:
        """The attachment and its owner, or ``None``."""


class ServiceWork(ViewWork, Protocol):
    """The repositories that agents' use cases need."""

    @property
    def reveals(self) -> Reveals:
        """Who looked at what."""

    @property
    def attachments(self) -> Attachments:
        """Stored files."""


class TypingSink(Protocol):
    """Shows customers that somebody writes."""

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        """Show or hide it; nothing where the channel cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agent wants to say.

    Attributes:
        client_id: The console's own id of it: stored once, however often it comes.
    """

    client_id: str
    text: str = ""
    attachment_ids: tuple[str, ...] = ()


class Service:
    """The agents' use cases.

    Args:
        find_secrets: What of an agent's text must not be stored in the clear.
    """

    def __init__(
        self,
        units: Units[ServiceWork],
        *,
        desk: Desk,
        clock: Clock,
        find_secrets: Sealer,
        typing: TypingSink,
    ) -> None:
        self._units = units
        self._desk = desk
        self._clock = clock
        self._find_secrets = find_secrets
        self._typing = typing

    async def claim(self, agent: Agent, conversation_id: ConversationId) -> Conversation:
        """Take a conversation out of the queue; once more by the one who has it changes nothing.

        Raises:
            AlreadyClaimed: Somebody was faster; it says who.
            IllegalTransition: It does not wait any more.
        """

        def unit(work: ServiceWork) -> Conversation:
            conversation = work.conversations.lock(conversation_id)
            if conversation.state is State.AGENT:
                if conversation.assignee == agent.id:
                    return conversation
                raise AlreadyClaimed(*_holder(work, conversation))
            return self._desk.handle(work, conversation, Claimed(agent.id, agent.name))

        return await self._units.write(unit)

    async def reply(
        self, agent: Agent, conversation_id: ConversationId, draft: Draft, *, takes_over: bool
    ) -> Message:
        """Write to the customer; takes the conversation over where nobody else has it.

        Raises:
            NotAssignee: Another agent has it, and ``takes_over`` is not said.
            IllegalTransition: It is answered in the channel's own app.
            Refused: There is nothing to send.
        """

        def unit(work: ServiceWork) -> Message:
            conversation = work.conversations.lock(conversation_id)
            known = work.messages.by_client_id(conversation_id, draft.client_id)
            if known is not None:
                return known
            conversation, message = self._reply(
                work, conversation, agent, draft, takes_over=takes_over
            )
            work.conversations.save(conversation)
            return message

        message = await self._units.write(unit)
        self._desk.presence.acted(agent.id)
        return message

    async def note(self, agent: Agent, conversation_id: ConversationId, draft: Draft) -> Message:
        """Write something for colleagues; it never reaches an outbound path.

        Raises:
            Refused: It is empty.
        """

        def unit(work: ServiceWork) -> Message:
            conversation = work.conversations.lock(conversation_id)
            known = work.messages.by_client_id(conversation_id, draft.client_id)
            if known is not None:
                return known
            conversation, message = self._note(work, conversation, agent, draft)
            if conversation.assignee == agent.id:
                self._desk.handle(work, conversation, Acted(agent.id))
            else:
                work.conversations.save(conversation)
            return message

        message = await self._units.write(unit)
        self._desk.presence.acted(agent.id)
        return message

    async def transfer(
        self, agent: Agent, conversation_id: ConversationId, *, to: str | None, note: str
    ) -> Conversation:
        """Pass it on, to a colleague or (``to`` is ``None``) to the queue; the note goes with it.

        Raises:
            NotAssignee: Another agent has it.
            NotFound: There is no such colleague.
            IllegalTransition: Nobody has it.
        """

        def unit(work: ServiceWork) -> Conversation:
            conversation = work.conversations.lock(conversation_id)
            _require_holder(work, conversation, agent)
            if conversation.state is not State.AGENT:
                raise IllegalTransition("only what somebody has can be transferred")
            target = None if to is None else work.agents.get(AgentId(to))
            if to is not None and (target is None or target.is_disabled):
                raise NotFound("没有这位客服，或已停用")
            if target is not None and target.id == conversation.assignee:
                raise Refused("会话已经在这位客服手里")
            conversation, _ = self._note(work, conversation, agent, Draft("", note))
            moved = Transferred(
                note=note,
                to=None if target is None else target.id,
                name=None if target is None else target.name,
            )
            return self._desk.handle(work, conversation, moved)

        return await self._units.write(unit)

    async def give_back(self, agent: Agent, conversation_id: ConversationId) -> Conversation:
        """Leave the rest to the bot.

        Raises:
            NotAssignee: Another agent has it.
            IllegalTransition: Nobody has it.
        """
        return await self._perform(agent, conversation_id, GivenBack())

    async def close(
        self, agent: Agent, conversation_id: ConversationId, last_word: Draft | None
    ) -> Conversation:
        """End it; the last word goes out first. Ending it again changes nothing.

        Raises:
            NotAssignee: Another agent has it.
            IllegalTransition: It waits, or is answered in the channel's own app.
        """

        def unit(work: ServiceWork) -> Conversation:
            conversation = work.conversations.lock(conversation_id)
            if conversation.state is State.CLOSED:
                return conversation
            _require_holder(work, conversation, agent)
            if conversation.state not in {State.AGENT, State.BOT}:
                raise IllegalTransition("claim it before it is closed")
            if last_word is not None:
                conversation, _ = self._reply(work, conversation, agent, last_word, takes_over=True)
            closing = Closed()
            return self._desk.handle(work, conversation, closing)

        return await self._units.write(unit)

    async def read(self, conversation_id: ConversationId, seq: int) -> None:
        """The agents' side has seen everything up to this place."""

        def unit(work: ServiceWork) -> None:
            conversation = work.conversations.lock(conversation_id)
            seen = min(seq, conversation.last_seq)
            if seen <= conversation.read_seq:
                return
            saved = work.conversations.save(replace(conversation, read_seq=seen))
            work.live_events.add(
                LiveEventKind.STATE_CHANGED, saved.id, self._clock(), detail="read"
            )

        await self._units.write(unit)

    async def typing(self, agent: Agent, conversation_id: ConversationId) -> None:
        """The assignee writes: the customer sees that, and it counts as having acted."""
        found = await self._units.read(lambda work: work.conversations.get(conversation_id))
        if found is None:
            raise NotFound("没有这个会话")
        if found.assignee != agent.id:
            return
        if found.acted_at is None:
            await self._perform(agent, conversation_id, Acted(agent.id))
        await self._typing.typing(found.address, Author.AGENT.value, is_on=True)

    async def retry(self, conversation_id: ConversationId, message_id: MessageId) -> Message:
        """Send a message again that failed.

        Raises:
            NotFound: There is no such message here.
            Refused: It has not failed.
        """

        def unit(work: ServiceWork) -> Message:
            message = work.messages.get(message_id)
            if message is None or message.conversation_id != conversation_id:
                raise NotFound("没有这条消息")
            if not work.outbox.retry(message_id):
                raise Refused("这条消息没有发送失败，不用重发")
            return work.messages.get(message_id) or message

        return await self._units.write(unit)

    async def reveal(self, agent: Agent, secret_id: str) -> str:
        """A secret's value; that this agent looked at it is stored before it is shown.

        Raises:
            NotFound: There is no such secret.
        """

        def unit(work: ServiceWork) -> str:
            conversation_id = work.secrets.conversation_of(secret_id)
            value = None if conversation_id is None else work.secrets.reveal(secret_id)
            if conversation_id is None or value is None:
                raise NotFound("没有这条加密内容")
            work.reveals.add(secret_id, conversation_id, agent.id, self._clock())
            return value

        return await self._units.write(unit)

    async def requeue_left(self) -> int:
        """Queue again what agents hold who may not log in any more; how many there were."""

        def left(work: ServiceWork) -> list[Conversation]:
            gone = [agent.id for agent in work.agents.all() if agent.is_disabled]
            return [one for agent_id in gone for one in work.conversations.held_by(agent_id)]

        found = await self._units.read(left)
        for one in found:
            await self._units.write(self._requeueing(one.id))
        return len(found)

    def _requeueing(self, conversation_id: ConversationId) -> Callable[[ServiceWork], None]:
        def unit(work: ServiceWork) -> None:
            conversation = work.conversations.lock(conversation_id)
            holder = None if conversation.assignee is None else _agent(work, conversation.assignee)
            if holder is not None and holder.is_disabled:
                self._desk.handle(work, conversation, AgentLeft())

        return unit

    async def _perform(
        self, agent: Agent, conversation_id: ConversationId, event: Event
    ) -> Conversation:
        def unit(work: ServiceWork) -> Conversation:
            conversation = work.conversations.lock(conversation_id)
            _require_holder(work, conversation, agent)
            return self._desk.handle(work, conversation, event)

        done = await self._units.write(unit)
        self._desk.presence.acted(agent.id)
        return done

    def _reply(
        self,
        work: ServiceWork,
        conversation: Conversation,
        agent: Agent,
        draft: Draft,
        *,
        takes_over: bool,
    ) -> tuple[Conversation, Message]:
        attachments = _attachments(work, agent, draft.attachment_ids)
        if not draft.text.strip() and not attachments:
            raise Refused("写点什么再发吧")
        is_others = conversation.state is State.AGENT and conversation.assignee != agent.id
        if is_others and not takes_over:
            raise NotAssignee(*_holder(work, conversation))
        sent = AgentSent(agent.id, agent.name, takes_over=takes_over)
        conversation = self._desk.handle(work, conversation, sent)
        text, secrets = sealed(work.secrets, conversation.id, draft.text, self._find_secrets)
        return append_message(
            work,
            conversation,
            author=Author.AGENT,
            author_id=agent.id,
            author_name=agent.name,
            client_id=draft.client_id or None,
            text=text,
            secrets=secrets,
            attachments=attachments,
            at=self._clock(),
        )

    def _note(
        self,
        work: ServiceWork,
        conversation: Conversation,
        agent: Agent,
        draft: Draft,
    ) -> tuple[Conversation, Message]:
        attachments = _attachments(work, agent, draft.attachment_ids)
        if not draft.text.strip() and not attachments:
            raise Refused("备注不能为空")
        text, secrets = sealed(work.secrets, conversation.id, draft.text, self._find_secrets)
        return append_message(
            work,
            conversation,
            author=Author.AGENT,
            author_id=agent.id,
            author_name=agent.name,
            kind=MessageKind.NOTE,
            client_id=draft.client_id or None,
            text=text,
            secrets=secrets,
            attachments=attachments,
            at=self._clock(),
        )


def _agent(work: ServiceWork, agent_id: AgentId) -> Agent | None:
    return work.agents.get(agent_id)


def _holder(work: ServiceWork, conversation: Conversation) -> tuple[str, str]:
    assignee = conversation.assignee or AgentId("")
    holder = _agent(work, assignee)
    return assignee, holder.name if holder is not None else "其他客服"


def _require_holder(work: ServiceWork, conversation: Conversation, agent: Agent) -> None:
    """Only the assignee, or somebody who supervises them, may decide about a conversation."""
    is_others = conversation.state is State.AGENT and conversation.assignee != agent.id
    if is_others and not agent.role.includes(Role.SUPERVISOR):
        raise NotAssignee(*_holder(work, conversation))


def _attachments(
    work: ServiceWork, agent: Agent, attachment_ids: Sequence[str]
) -> tuple[Attachment, ...]:
    found = []
    for one in attachment_ids[:MAX_ATTACHMENTS]:
        stored = work.attachments.get(one)
        if stored is None or stored[1] != owner_of_upload(agent):
            raise NotFound("图片不存在，请重新上传")
        if stored[0].state is not MediaState.READY:
            raise NotFound("图片放得太久，已经删除，请重新上传")
        found.append(stored[0])
    work.attachments.attach([one.id for one in found])
    return tuple(found)


def owner_of_upload(agent: Agent) -> str:
    """Whose an agent's uploads are."""
    return f"agent:{agent.id}"
