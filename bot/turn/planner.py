"""Planning a turn: may the bot speak, what is wanted, what do the tools find.

Nothing is changed here. What comes out is a ``Plan``, for the commit to store or to throw away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.dialogue.actions import Decision, Welcome
from bot.dialogue.decide import Dialogue, Questions
from bot.dialogue.memory import MEMORY_KEY, Memory
from bot.dialogue.phrases import LEAVE_QUEUE
from bot.dialogue.topics import FAREWELLS
from bot.dialogue.utterance import Utterance
from bot.tools.tool import Caller, Tools
from bot.turn import albums
from bot.turn.action_executor import ActionExecutor
from bot.turn.plan import Plan
from bot.turn.reading import SlotReaders
from bot.wording.compose import Composer
from connectors.messages import Attachment, InboundKind
from handoff.machine import events
from handoff.machine.events import Event
from handoff.machine.ownership import BotPermission, bot_permission
from handoff.machine.rules import Rules
from handoff.machine.transitions import transition_for
from handoff.model.conversation import Conversation, State, WaitingMode
from handoff.model.inbound import Pending
from knowledge_base.recognition.recognition import Band, Recognition
from knowledge_base.source.intent import Intent, IntentId, Privacy
from knowledge_base.source.tool_spec import ToolSpecs

_SHOWS_GREETING = {"web", "terminal"}
"""Channels on which the notice stands above the first message, or the admin tries things out."""
_QUEUE_BUTTONS: Mapping[str, Event] = {
    "wait": events.ChoseToWait(),
    "leave_message": events.ChoseToLeaveMessage(),
    "back_to_bot": events.LeftQueue(),
}


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans turns with one knowledge base; replaced whole when kb.yaml changes.

    Attributes:
        titles: Of the intents, for the console.
        shop: The ``shop.*`` variables of answers.
        questions: Recognises one to three questions in a text, after another one.
        readers: Read order numbers, card keys and proofs out of a text.
        specs: The tools' declarations.
        when_open: When a person will reply; ``True`` for English.
        mode: How somebody who is queued now would wait.
        has_mail: Whether codes and cards can go by mail.
        pictures: Stored pictures of the knowledge base, by file.
        choose: An index below the given count, for answers that say the same.
        welcome: Said to who arrives.
        privacy: Said once to every customer; ``None`` for nothing.
    """

    intents: Mapping[IntentId, Intent]
    titles: Mapping[IntentId, str]
    shop: Mapping[str, Any]
    dialogue: Dialogue
    questions: Questions
    readers: SlotReaders
    specs: ToolSpecs
    tools: Tools
    rules: Rules
    when_open: Callable[[bool], str]
    mode: Callable[[], WaitingMode]
    has_mail: bool
    pictures: Callable[[], Mapping[str, Attachment]]
    choose: Callable[[int], int]
    welcome: Welcome
    privacy: Privacy | None

    @staticmethod
    def memory(conversation: Conversation) -> Memory:
        """Return what the bot remembers of this conversation."""
        return Memory.from_json(conversation.memory.get(MEMORY_KEY, {}))

    def listens_for_more(self, conversation: Conversation) -> bool:
        """Tell whether the bot will answer, so that half a sentence is worth waiting for."""
        return conversation.state in {State.BOT, State.CLOSED} or (
            bot_permission(conversation) is BotPermission.ANSWERS_WITH_PROMISE
        )

    def is_understood(self, text: str, memory: Memory) -> bool:
        """Tell whether a text says enough as it stands."""
        utterance = self.readers.read(text, memory)
        asked = self.dialogue.slot_asked(memory)
        if utterance.values or (asked is not None and asked.takes_any_code):
            return True
        if memory.offered and len(text.strip()) <= 1:
            return True
        found = self.questions(utterance.words, "")
        return bool(found) and found[0].rule in {"exact", "pattern"}

    async def plan(
        self, conversation: Conversation, group: Sequence[Pending], turn_id: str, now: datetime
    ) -> Plan:
        """Plan the turn of one message, or of several that belong together."""
        memory = self.memory(conversation)
        if group[0].kind is InboundKind.CSAT:
            return Plan(memory=memory, reopens=False, csat=group[0].score)
        utterance = self._utterance(group, memory)
        is_arrival = group[0].kind is InboundKind.ARRIVAL
        reopens = self._reopens(conversation, utterance, is_arrival=is_arrival)
        permission = self._permission(conversation, now, reopens=reopens)
        if conversation.state is State.WAITING:
            event = self._queue_choice(utterance)
            if event is not None:
                return Plan(memory=memory, event=event)
        if permission in {BotPermission.NOTHING, BotPermission.NOTICES_ONLY}:
            # what the bot would have understood is shown to the agent, and to nobody else
            recognitions = self.questions(utterance.words, "") if utterance.words else ()
            return self._silent(memory, recognitions, reopens=reopens)
        if conversation.state is State.CLOSED:
            memory = Memory(is_english=memory.is_english, knows_privacy=memory.knows_privacy)
        is_late, memory = albums.joined(group, memory, has_words=bool(utterance.text.strip()))
        if is_late:
            return self._silent(memory, (), reopens=reopens)
        if is_arrival:
            decision = self._greeting(utterance, memory)
        else:
            decision, memory = self.dialogue.decide(utterance, memory)
        executor = self._executor(conversation, memory, group, turn_id)
        plan = replace(await executor.carry_out(decision, memory), reopens=reopens)
        if permission is BotPermission.ANSWERS_WITH_PROMISE and plan.replies:
            when = self.when_open(memory.is_english)
            plan = plan.with_last_reply(executor.composer.promised(plan.replies[-1], when))
        return self._with_privacy(plan, conversation.address.ref.channel)

    def _utterance(self, group: Sequence[Pending], memory: Memory) -> Utterance:
        """Return what the messages say together."""
        first = group[0]
        utterance = replace(
            self.readers.read("\n".join(message.text for message in group), memory),
            button=first.button if first.kind is InboundKind.BUTTON else None,
            media=_media_of(group),
        )
        if any(message.is_unreadable for message in group):
            utterance = replace(utterance, text="", words="")
        quoted = "\n".join(message.quoted for message in group if message.quoted)
        return self.readers.with_quoted(utterance, quoted, memory) if quoted else utterance

    def _permission(
        self, conversation: Conversation, now: datetime, *, reopens: bool
    ) -> BotPermission:
        """Return what the bot may say once the customer's message has had its effect."""
        wrote = events.CustomerWrote(reopens=reopens, mode=self.mode())
        return bot_permission(transition_for(conversation, wrote, now, self.rules).conversation)

    def _with_privacy(self, plan: Plan, channel: str) -> Plan:
        """Return the plan with the privacy notice under the first reply that there is."""
        memory = plan.memory
        if self.privacy is None or memory.knows_privacy or not plan.replies:
            return plan
        if channel in _SHOWS_GREETING:
            return plan
        last = plan.replies[-1]
        notice = self.privacy.said(is_english=memory.is_english)
        told = replace(last, text=f"{last.text}\n\n{notice}")
        return replace(plan.with_last_reply(told), memory=replace(memory, knows_privacy=True))

    def _greeting(self, utterance: Utterance, memory: Memory) -> Decision:
        """Return a welcome for who arrives, and where a link named an order, its state."""
        if not self.dialogue.names_entity(utterance):
            return Decision((self.welcome,))
        decision, _ = self.dialogue.decide(utterance, memory)
        return decision

    def _silent(
        self, memory: Memory, recognitions: tuple[Recognition, ...], *, reopens: bool
    ) -> Plan:
        best = recognitions[0].candidates[:1] if recognitions else ()
        return Plan(
            memory=memory,
            reopens=reopens,
            recognitions=recognitions,
            intent=best[0].intent if best else None,
            intent_title=self.intents[best[0].intent].title if best else None,
        )

    def _reopens(
        self, conversation: Conversation, utterance: Utterance, *, is_arrival: bool
    ) -> bool:
        """Tell whether a closed conversation opens: not by thanks, a goodbye or an emoji."""
        if conversation.state is not State.CLOSED or utterance.button is not None:
            return True
        if is_arrival:
            # looking in again is no reason to queue for the person who had it
            return conversation.last_assignee is None
        if not any(char.isalnum() for char in utterance.text):
            return utterance.media is not None
        found = self.questions(utterance.words, "")
        return not all(
            question.band is Band.ANSWER and question.candidates[0].intent in FAREWELLS
            for question in found
        )

    @staticmethod
    def _queue_choice(utterance: Utterance) -> Event | None:
        if utterance.button is not None:
            return _QUEUE_BUTTONS.get(utterance.button)
        words = utterance.text.strip().rstrip("。.!！~～").lower()
        return events.LeftQueue() if words in LEAVE_QUEUE else None

    def _composer(self, conversation: Conversation, memory: Memory) -> Composer:
        return Composer(
            intents=self.intents,
            specs=self.specs,
            shop=self.shop,
            channel=conversation.address.ref.channel,
            is_english=memory.is_english,
            has_mail=self.has_mail,
            pictures=self.pictures(),
            choose=self.choose,
        )

    def _executor(
        self, conversation: Conversation, memory: Memory, group: Sequence[Pending], turn_id: str
    ) -> ActionExecutor:
        caller = Caller(
            address=conversation.address,
            # every place that one of the messages came from
            sources=tuple(sorted({source for message in group for source in message.sources})),
            turn_id=turn_id,
            conversation_id=conversation.id,
            is_english=memory.is_english,
        )
        composer = self._composer(conversation, memory)
        return ActionExecutor(self.intents, self.specs, self.tools, composer, caller)


def _media_of(group: Sequence[Pending]) -> str | None:
    """Return what the customer sent beside words."""
    kinds = [file.kind for message in group for file in message.attachments]
    if not kinds:
        return "other" if any(message.is_unreadable for message in group) else None
    return kinds[0] if kinds[0] in {"image", "voice"} else "other"
