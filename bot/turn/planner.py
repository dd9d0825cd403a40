"""Planning a turn: may the bot speak, what is wanted, what do the tools find.

Nothing is changed here. What comes out is a ``Plan``: the replies, the memory and the reasons,
for the commit to store or to throw away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.dialogue.actions import (
    Action,
    Answer,
    Ask,
    Clarify,
    Decision,
    Fallback,
    HandOff,
    Remark,
    Run,
    Welcome,
    action_name,
)
from bot.dialogue.decide import (
    CHITCHAT,
    FAREWELLS,
    Dialogue,
    Questions,
    Utterance,
)
from bot.dialogue.memory import MEMORY_KEY, Memory
from bot.inbox.quotes import with_quoted
from bot.tools.results import Caller, ToolResult, Tools
from bot.tools.spec import state_told
from bot.turn import albums as acts
from bot.wording.compose import Composer, Reply, remember
from connectors.messages import Attachment, InboundKind
from handoff.machine import events
from handoff.machine.events import Event, Reason
from handoff.machine.ownership import BotPermission, bot_permission
from handoff.machine.rules import Rules
from handoff.machine.transitions import transition_for
from handoff.model.conversation import Conversation, State, WaitingMode
from handoff.model.inbound import Pending
from handoff.model.transcript import TurnReasons
from knowledge_base.recognition.recognition import Band, Recognition
from knowledge_base.source.intent import Intent, IntentId, Privacy
from shop.domain.numbers import OrderNumber, show_number

_LEAVES_QUEUE = frozenset({"不用了", "不用人工了", "算了", "不等了", "取消", "cancel"})
_SHOWS_GREETING = {"web", "terminal"}
"""Where the notice stands above the first message already, or the admin tries things out."""
_QUEUE_BUTTONS: Mapping[str, Event] = {
    "wait": events.ChoseToWait(),
    "leave_message": events.ChoseToLeaveMessage(),
    "back_to_bot": events.LeftQueue(),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a turn would do.

    Attributes:
        event: What the customer's message is to the state machine beyond "wrote".
        reopens: Whether it opens a closed conversation again.
        handoff: Why a person is to be called, and what they should know; ``None`` if not.
        lead: Said before a handoff's notice; never goes stale.
        effects: Of tools, to be applied in the turn's own unit.
        accepted: What the customer typed and the gate took as a proof or a card.
        csat: Satisfaction given, 1 to 5, and the comment.
    """

    memory: Memory
    actions: tuple[str, ...] = ("silent",)
    replies: tuple[Reply, ...] = ()
    lead: Reply | None = None
    handoff: Reason | None = None
    has_failed: bool = False
    reopens: bool = True
    event: Event | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    recognitions: tuple[Recognition, ...] = ()
    intent: IntentId | None = None
    intent_title: str | None = None
    tool: str | None = None
    outcome: str | None = None
    effects: tuple[Any, ...] = ()
    accepted: tuple[str, ...] = field(default=(), repr=False)
    csat: int | None = None

    @classmethod
    def failed(cls, memory: Memory) -> Plan:
        """The bot broke twice: a person takes over."""
        return cls(memory=memory, actions=("handoff",), has_failed=True)

    def reasons(self, turn_id: str, titles: Mapping[IntentId, str]) -> TurnReasons:
        """Why, for the console."""
        first = self.recognitions[0] if self.recognitions else None
        return TurnReasons(
            turn_id=turn_id,
            actions=self.actions,
            intent=self.intent,
            intent_title=self.intent_title,
            confidence=first.candidates[0].confidence if first and first.candidates else None,
            band=first.band.value if first else None,
            rule=first.rule if first else None,
            tool=self.tool,
            outcome=self.outcome,
            candidates=tuple(
                {
                    "intent": candidate.intent,
                    "title": titles.get(candidate.intent, candidate.intent),
                    "confidence": round(candidate.confidence, 3),
                    "source": candidate.source,
                }
                for recognition in self.recognitions
                for candidate in recognition.candidates[:3]
            ),
        )


@dataclass(frozen=True, slots=True)
class Planner:
    """What the bot knows at this moment; swapped whole when kb.yaml changes.

    Attributes:
        shop: The ``shop.*`` variables of answers.
        questions: Recognises one to three questions in a text, after another one.
        read: Reads order numbers, card keys and proofs out of a text.
        titles: Of the intents, for the console.
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
    read: Callable[[str, Memory], Utterance]
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
        """What the bot remembers of this conversation."""
        return Memory.from_json(conversation.memory.get(MEMORY_KEY, {}))

    def listens_for_more(self, conversation: Conversation) -> bool:
        """Whether the bot will answer, so that half a sentence is worth waiting for."""
        return conversation.state in {State.BOT, State.CLOSED} or (
            bot_permission(conversation) is BotPermission.ANSWERS_WITH_PROMISE
        )

    def is_understood(self, text: str, memory: Memory) -> bool:
        """Whether a text says enough as it stands."""
        utterance = self.read(text, memory)
        if utterance.order_number or utterance.card_secret or utterance.proof:
            return True
        if memory.pending is not None and memory.pending.asking == "proof":
            return True
        if memory.offered and len(text.strip()) <= 1:
            return True
        found = self.questions(utterance.words, "")
        return bool(found) and found[0].rule in {"exact", "pattern"}

    async def plan(
        self, conversation: Conversation, group: Sequence[Pending], turn_id: str, now: datetime
    ) -> Plan:
        """Plan one turn."""
        memory = self.memory(conversation)
        first = group[0]
        if first.kind is InboundKind.CSAT:
            return Plan(memory=memory, reopens=False, csat=first.score)
        text = "\n".join(one.text for one in group)
        utterance = replace(
            self.read(text, memory),
            button=first.button if first.kind is InboundKind.BUTTON else None,
            media=_media_of(group),
        )
        if any(one.is_unreadable for one in group):
            utterance = replace(utterance, text="", words="")
        quoted = "\n".join(one.quoted for one in group if one.quoted)
        if quoted:
            utterance = with_quoted(utterance, self.read(quoted, Memory()), memory)
        is_arrival = first.kind is InboundKind.ARRIVAL
        reopens = self._reopens(conversation, utterance, is_arrival=is_arrival)
        wrote = events.CustomerWrote(reopens=reopens, mode=self.mode())
        after = transition_for(conversation, wrote, now, self.rules).conversation
        permission = bot_permission(after)
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
        is_late, memory = acts.joined(group, memory, has_words=bool(utterance.text.strip()))
        if is_late:
            return self._silent(memory, (), reopens=reopens)
        if first.kind is InboundKind.ARRIVAL:
            decision = self._greeted(utterance, memory)
        else:
            decision, memory = self.dialogue.decide(utterance, memory)
        plan = await self._carry_out(decision, memory, conversation, group, turn_id)
        plan = replace(plan, reopens=reopens)
        if permission is BotPermission.ANSWERS_WITH_PROMISE and plan.replies:
            composer = self._composer(conversation, memory)
            promised = composer.promised(plan.replies[-1], self.when_open(memory.is_english))
            plan = replace(plan, replies=(*plan.replies[:-1], promised))
        return self._with_privacy(plan, conversation.address.ref.channel)

    def _with_privacy(self, plan: Plan, channel: str) -> Plan:
        """The plan with the privacy notice under its last reply, the first time there is one."""
        memory = plan.memory
        if self.privacy is None or memory.knows_privacy or not plan.replies:
            return plan
        if channel in _SHOWS_GREETING:
            return plan
        last = plan.replies[-1]
        notice = self.privacy.said(is_english=memory.is_english)
        told = replace(last, text=f"{last.text}\n\n{notice}")
        return replace(
            plan,
            replies=(*plan.replies[:-1], told),
            memory=replace(memory, knows_privacy=True),
        )

    def _greeted(self, utterance: Utterance, memory: Memory) -> Decision:
        """Somebody arrived: a welcome, and where a link named an order, its state."""
        if utterance.order_number is None:
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
        """Thanks, a goodbye or an emoji leave a closed conversation closed."""
        if conversation.state is not State.CLOSED or utterance.button is not None:
            return True
        if is_arrival:
            # looking in again is no reason to queue for the person who had it
            return conversation.last_assignee is None
        if not any(char.isalnum() for char in utterance.text):
            return utterance.media is not None
        found = self.questions(utterance.words, "")
        return not all(
            one.band is Band.ANSWER and one.candidates[0].intent in FAREWELLS for one in found
        )

    @staticmethod
    def _queue_choice(utterance: Utterance) -> Event | None:
        if utterance.button is not None:
            return _QUEUE_BUTTONS.get(utterance.button)
        words = utterance.text.strip().rstrip("。.!！~～").lower()
        return events.LeftQueue() if words in _LEAVES_QUEUE else None

    def _composer(self, conversation: Conversation, memory: Memory) -> Composer:
        return Composer(
            intents=self.intents,
            shop=self.shop,
            channel=conversation.address.ref.channel,
            is_english=memory.is_english,
            has_mail=self.has_mail,
            pictures=self.pictures(),
            choose=self.choose,
        )

    async def _carry_out(
        self,
        decision: Decision,
        memory: Memory,
        conversation: Conversation,
        group: Sequence[Pending],
        turn_id: str,
    ) -> Plan:
        composer = self._composer(conversation, memory)
        caller = Caller(
            address=conversation.address,
            # every place that one of the messages came from
            sources=tuple(sorted({one for message in group for one in message.sources})),
            turn_id=turn_id,
            conversation_id=conversation.id,
            is_english=memory.is_english,
        )
        plan = Plan(
            memory=memory,
            actions=tuple(action_name(action) for action in decision.actions),
            recognitions=decision.recognitions,
        )
        for action in decision.actions:
            plan = await self._one(action, plan, composer, caller)
        return self._finished(plan)

    async def _one(
        self,
        action: Action,
        plan: Plan,
        composer: Composer,
        caller: Caller,
    ) -> Plan:
        match action:
            case Run():
                return await self._ran(action, plan, composer, caller)
            case HandOff():
                lead = composer.lead(action)
                return replace(
                    self._about(plan, action.intent), lead=lead, handoff=Reason(action.reason)
                )
            case Answer():
                memory = plan.memory
                if action.intent not in CHITCHAT:
                    memory = memory.having_tried(f"答复：{self.intents[action.intent].title}")
                return replace(
                    self._about(plan, action.intent),
                    memory=memory,
                    replies=(*plan.replies, composer.answer(action)),
                )
            case Clarify():
                reply = composer.clarify(action)
            case Ask():
                plan = self._about(plan, action.intent)
                reply = composer.ask(action)
            case Fallback():
                reply = composer.fallback(action)
            case Remark():
                reply = composer.remark(action)
            case Welcome():
                reply = composer.welcome(action)
        return replace(plan, replies=(*plan.replies, reply))

    async def _ran(self, action: Run, plan: Plan, composer: Composer, caller: Caller) -> Plan:
        result: ToolResult = await self.tools.run(action, caller)
        plan = self._about(plan, action.intent)
        return replace(
            plan,
            memory=remember(plan.memory, action, result),
            replies=(*plan.replies, composer.result(action, result)),
            handoff=plan.handoff or (Reason(result.reason) if result.reason else None),
            tool=plan.tool or action.tool,
            outcome=plan.outcome or result.outcome,
            effects=(*plan.effects, *result.effects),
            accepted=(*plan.accepted, *result.accepted),
        )

    def _about(self, plan: Plan, intent: IntentId | None) -> Plan:
        """The first intent of a turn names it."""
        if plan.intent is not None or intent is None:
            return plan
        known = self.intents.get(intent)
        return replace(plan, intent=intent, intent_title=known.title if known else None)

    @staticmethod
    def _finished(plan: Plan) -> Plan:
        memory = plan.memory
        if plan.replies and plan.replies[-1].buttons:
            buttons = tuple((one.id, one.label) for one in plan.replies[-1].buttons)
            memory = replace(memory, offered=buttons)
        if plan.handoff is not None:
            memory = replace(memory, pending=None)
        summary = {
            "wanted": plan.intent_title,
            "tried": list(memory.tried),
            "orders": [
                {"number": show_number(OrderNumber(number)), "state_text": state_told(outcome)}
                for number, outcome in memory.orders
            ],
        }
        return replace(plan, memory=memory, summary=summary)


def _media_of(group: Sequence[Pending]) -> str | None:
    """What the customer sent beside words."""
    kinds = [file.kind for one in group for file in one.attachments]
    if not kinds:
        return "other" if any(one.is_unreadable for one in group) else None
    return kinds[0] if kinds[0] in {"image", "voice"} else "other"
