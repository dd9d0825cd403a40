"""From actions and tools' results to the messages that the customer reads. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.dialogue.actions import (
    Answer,
    Ask,
    Clarify,
    Fallback,
    HandOff,
    Remark,
    Run,
    Welcome,
)
from bot.dialogue.memory import Memory, PendingTool
from bot.tools.results import ToolResult
from bot.tools.spec import told
from bot.wording.customer import (
    ASKS,
    BUTTONS,
    OUTCOMES,
    REMARKS,
    said,
)
from connectors.messages import Attachment, Button
from knowledge_base.source.intent import Intent, IntentId
from knowledge_base.source.templates import render

_MAX_BUTTONS = 4


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of the bot.

    Attributes:
        secrets: Values in the text that must be sealed where it is stored.
        attachments: Pictures from the knowledge base to send along.
        order_number: The order that the secrets belong to.
    """

    text: str = field(repr=False)
    buttons: tuple[Button, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = ()
    order_number: str | None = None


@dataclass(frozen=True, slots=True)
class Composer:
    """Words actions for one customer.

    Attributes:
        shop: The ``shop.*`` variables.
        has_mail: Whether codes and cards can go by mail; without it nobody is told of mail.
        pictures: Stored pictures of the knowledge base, by file.
        choose: Picks one of several answers that say the same: an index below the given count.
    """

    intents: Mapping[IntentId, Intent]
    shop: Mapping[str, Any]
    channel: str
    is_english: bool
    has_mail: bool
    pictures: Mapping[str, Attachment]
    choose: Callable[[int], int]

    def answer(self, action: Answer) -> Reply:
        """An intent's written answer, with what is offered next."""
        intent = self.intents[action.intent]
        return Reply(
            self._worded(intent, {"shop": self.shop}),
            self._intent_buttons(intent.then),
            attachments=tuple(
                self.pictures[str(path)] for path in intent.images if str(path) in self.pictures
            ),
        )

    def clarify(self, action: Clarify) -> Reply:
        """Ask which one is meant."""
        buttons = (*self._intent_buttons(action.intents), self._button("none"))
        return Reply(self._said(REMARKS["clarify"]), buttons)

    def ask(self, action: Ask) -> Reply:
        """Ask for a slot."""
        words = ASKS.get((action.slot, action.why)) or ASKS[action.slot, "missing"]
        text = self._said(words)
        by_mail = action.slot == "proof" and self.has_mail
        if by_mail:
            text = f"{text}{self._said(REMARKS['proof_by_mail'])}"
        extra = ("code",) if by_mail else ()
        return Reply(text, tuple(map(self._button, (*extra, "cancel", "handoff"))))

    def fallback(self, action: Fallback) -> Reply:
        """Say that it was not understood."""
        buttons = (*self._intent_buttons(action.intents), self._button("handoff"))
        return Reply(self._said(REMARKS["fallback"]), buttons)

    def remark(self, action: Remark) -> Reply:
        """One of the bot's own sentences."""
        offers = {
            *("media_unread", "voice_unread", "other_unread"),
            *("evidence_taken", "where_is_number"),
        }
        buttons = (self._button("handoff"),) if action.name in offers else ()
        return Reply(self._said(REMARKS[action.name]), buttons)

    def lead(self, action: HandOff) -> Reply | None:
        """What an intent says before a person takes over; ``None`` if the notice says it all."""
        intent = self.intents.get(action.intent) if action.intent is not None else None
        if intent is None or intent.handoff is None or action.reason == "repeated":
            return None
        text = intent.handoff.text
        if self.is_english and intent.answers_en:
            text = intent.answers_en[0]
        return Reply(render(text, {"shop": self.shop})) if text else None

    def result(self, action: Run, result: ToolResult) -> Reply:
        """What a tool found, in the shop's words where it has some."""
        intent = self.intents.get(action.intent)
        variables = {"shop": self.shop, **result.variables}
        if result.remark is not None:
            text = self._said(REMARKS[result.remark])
        else:
            # a tool may go on as another one (state, then cards): its words are its own
            is_own = intent is not None and intent.tool == action.tool
            own = intent.outcomes.get(result.outcome) if intent is not None and is_own else None
            template = self._said(OUTCOMES[action.tool][result.outcome])
            if own is not None:
                template = (own.en or template) if self.is_english else own.text
            text = render(template, variables)
            if intent is not None and is_own and intent.answers and result.reason is None:
                text = self._wrapped(intent, text, variables)
        if result.asks == "proof" and result.is_optional and result.remark is None:
            text = f"{text}\n{self._said(REMARKS['proof_for_cards'])}"
        if result.asks == "proof" and "code" in result.buttons:
            text = f"{text}{self._said(REMARKS['proof_by_mail'])}"
        buttons = tuple(map(self._button, result.buttons))
        if not buttons and intent is not None and result.asks is None and result.reason is None:
            buttons = self._intent_buttons(intent.then)
        return Reply(text, buttons[:_MAX_BUTTONS], result.secrets, order_number=result.order_number)

    def welcome(self, action: Welcome) -> Reply:
        """The first words to somebody who has just arrived."""
        buttons = self._intent_buttons(action.intents)
        if self.is_english:
            return Reply(f"Hello! This is {self.shop['name']}. How can I help you?", buttons)
        return Reply(action.text or f"您好，这里是{self.shop['name']}，有什么可以帮您？", buttons)

    def promised(self, reply: Reply, when: str) -> Reply:
        """The reply with the promise that a person will read it too, and when."""
        promise = self._said(REMARKS["person_too"]).format(when=when)
        return replace(reply, text=f"{reply.text}\n{promise}")

    def _wrapped(self, intent: Intent, text: str, variables: Mapping[str, Any]) -> str:
        nouns = {
            noun: {**value, "summary": text} if isinstance(value, Mapping) else value
            for noun, value in variables.items()
        }
        return self._worded(intent, nouns)

    def _worded(self, intent: Intent, variables: Mapping[str, Any]) -> str:
        texts: Sequence[str] = intent.answers_by_channel.get(self.channel) or intent.answers
        if self.is_english and intent.answers_en:
            texts = intent.answers_en
        return render(texts[self.choose(len(texts))], variables)

    def _said(self, text: tuple[str, str]) -> str:
        return said(text, is_english=self.is_english)

    def _button(self, name: str) -> Button:
        return Button(name, self._said(BUTTONS[name]))

    def _intent_buttons(self, intents: Sequence[IntentId]) -> tuple[Button, ...]:
        """Buttons for intents; a call for a person looks the same wherever it is offered."""
        return tuple(
            self._button("handoff")
            if name == "human_agent"
            else Button(f"intent:{name}", self.intents[name].title)
            for name in dict.fromkeys(intents)
            if name in self.intents
        )[:_MAX_BUTTONS]


def merged(replies: Sequence[Reply]) -> tuple[Reply, ...]:
    """One message instead of several, where the channel counts them."""
    if len(replies) <= 1:
        return tuple(replies)
    buttons = {button.id: button for reply in replies for button in reply.buttons}
    return (
        Reply(
            "\n\n".join(reply.text for reply in replies if reply.text),
            tuple(buttons.values()),
            tuple(secret for reply in replies for secret in reply.secrets),
            tuple(one for reply in replies for one in reply.attachments),
            next((reply.order_number for reply in replies if reply.secrets), None),
        ),
    )


def remember(memory: Memory, action: Run, result: ToolResult) -> Memory:
    """The memory after a tool has run."""
    pending = None
    if result.asks is not None and result.asks_with is not None:
        tool, slots = result.asks_with
        pending = PendingTool(
            tool=tool,
            intent=action.intent,
            asking=result.asks,
            slots=dict(slots),
            tries=memory.pending.tries if memory.pending is not None else 0,
            is_optional=result.is_optional,
        )
    memory = replace(memory, pending=pending)
    if result.order_number is not None:
        memory = memory.having_seen(result.order_number, result.outcome)
    if result.product is not None:
        memory = replace(memory, last_product=result.product)
    return memory.having_tried(told(action.tool, result.outcome))
