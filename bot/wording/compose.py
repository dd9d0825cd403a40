"""Wording of actions and of tools' results: the messages that the customer reads. Pure."""

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
    Locate,
    Remark,
    Run,
    Welcome,
)
from bot.dialogue.memory import ORDER_NUMBER
from bot.dialogue.tool_result import ToolResult
from bot.wording.customer.remarks import BUTTONS, OFFERS_PERSON, REMARKS, WELCOME, said
from connectors.messages import Attachment, Button
from knowledge_base.source.intent import Intent, IntentId
from knowledge_base.source.templates import render
from knowledge_base.source.tool_spec import Slot, Text, ToolSpecs

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
        specs: The tools: their declarations have the words for slots and outcomes.
        shop: The ``shop.*`` variables.
        has_mail: Whether codes and cards can go by mail; without it nobody is told of mail.
        pictures: Stored pictures of the knowledge base, by file.
        choose: Picks one of several answers that say the same: an index below the given count.
    """

    intents: Mapping[IntentId, Intent]
    specs: ToolSpecs
    shop: Mapping[str, Any]
    channel: str
    is_english: bool
    has_mail: bool
    pictures: Mapping[str, Attachment]
    choose: Callable[[int], int]

    def answer(self, action: Answer) -> Reply:
        """Say an intent's written answer, with what is offered next."""
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
        slot = self._slot(action.tool, action.slot)
        texts = slot.texts
        words = {"unreadable": texts.unreadable, "resume": texts.resume}
        text = self._said(words.get(action.why, texts.question))
        buttons: tuple[str, ...] = ("cancel", "handoff")
        if texts.by_mail is not None and self.has_mail:
            text, buttons = f"{text}{self._said(texts.by_mail)}", ("code", *buttons)
        return Reply(text, tuple(map(self._button, buttons)))

    def locate(self, action: Locate) -> Reply:
        """Tell where a slot's value is found."""
        texts = self._slot(action.tool, action.slot).texts
        return Reply(self._said(texts.where or texts.unreadable), (self._button("handoff"),))

    def fallback(self, action: Fallback) -> Reply:
        """Say that it was not understood."""
        buttons = (*self._intent_buttons(action.intents), self._button("handoff"))
        return Reply(self._said(REMARKS["fallback"]), buttons)

    def remark(self, action: Remark) -> Reply:
        """Say one of the bot's own sentences."""
        buttons = (self._button("handoff"),) if action.name in OFFERS_PERSON else ()
        return Reply(self._said(REMARKS[action.name]), buttons)

    def lead(self, action: HandOff) -> Reply | None:
        """Say an intent's words before a person takes over; ``None`` if the notice says it all."""
        intent = self.intents.get(action.intent) if action.intent is not None else None
        if intent is None or intent.handoff is None or action.reason == "repeated":
            return None
        text = intent.handoff.text
        if self.is_english and intent.answers_en:
            text = intent.answers_en[0]
        return Reply(render(text, {"shop": self.shop})) if text else None

    def result(self, run: Run, result: ToolResult) -> Reply:
        """Say what a tool found, in the shop's words where it has some."""
        intent = self.intents.get(run.intent)
        calls_person = self.specs[run.tool].outcomes[result.outcome].reason is not None
        if result.remark is not None:
            text = self._said(REMARKS[result.remark])
        else:
            text = self._outcome(run, result, calls_person=calls_person)
        buttons = tuple(map(self._button, result.buttons))
        if not buttons and intent is not None and result.asks is None and not calls_person:
            buttons = self._intent_buttons(intent.then)
        return Reply(
            f"{text}{self._request(result)}",
            buttons[:_MAX_BUTTONS],
            result.secrets,
            order_number=result.spoken_of.get(ORDER_NUMBER),
        )

    def _outcome(self, run: Run, result: ToolResult, *, calls_person: bool) -> str:
        """Word an outcome as kb.yaml does, else as the tool's declaration does."""
        intent = self.intents.get(run.intent)
        variables = {"shop": self.shop, **result.variables}
        default = self._said(self.specs[run.tool].outcomes[result.outcome].said)
        # a tool may go on as another one (state, then cards): its words are its own
        if intent is None or intent.tool != run.tool:
            return render(default, variables)
        own = intent.outcomes.get(result.outcome)
        if own is not None:
            default = (own.en or default) if self.is_english else own.text
        text = render(default, variables)
        is_wrapped = intent.answers and not calls_person
        return self._wrapped(intent, text, variables) if is_wrapped else text

    def _request(self, result: ToolResult) -> str:
        """Ask for what a tool's answer needs besides."""
        if result.asks is None:
            return ""
        texts = self._slot(result.asks.tool, result.asks.slot).texts
        is_offered = result.asks.is_optional and result.remark is None and texts.offer is not None
        offer = f"\n{self._said(texts.offer)}" if is_offered and texts.offer else ""
        by_mail = texts.by_mail if "code" in result.buttons else None
        return f"{offer}{self._said(by_mail)}" if by_mail is not None else offer

    def welcome(self, action: Welcome) -> Reply:
        """Say the first words to somebody who has just arrived."""
        buttons = self._intent_buttons(action.intents)
        own = action.text if not self.is_english else ""
        return Reply(own or self._said(WELCOME).format(shop=self.shop["name"]), buttons)

    def promised(self, reply: Reply, when: str) -> Reply:
        """Return the reply with the promise that a person will read it too, and when."""
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

    def _slot(self, tool: str, name: str) -> Slot:
        slot = self.specs[tool].slot(name)
        assert slot is not None, f"{tool} has no slot {name}"  # noqa: S101 - it was asked for
        return slot

    def _said(self, text: Text) -> str:
        return said(text, is_english=self.is_english)

    def _button(self, name: str) -> Button:
        return Button(name, self._said(BUTTONS[name]))

    def _intent_buttons(self, intents: Sequence[IntentId]) -> tuple[Button, ...]:
        """Return buttons for intents; a call for a person looks the same wherever it is offered."""
        return tuple(
            self._button("handoff")
            if name == "human_agent"
            else Button(f"intent:{name}", self.intents[name].title)
            for name in dict.fromkeys(intents)
            if name in self.intents
        )[:_MAX_BUTTONS]


def merged(replies: Sequence[Reply]) -> tuple[Reply, ...]:
    """Make one message of several replies, where the channel counts them."""
    if len(replies) <= 1:
        return tuple(replies)
    buttons = {button.id: button for reply in replies for button in reply.buttons}
    return (
        Reply(
            "\n\n".join(reply.text for reply in replies if reply.text),
            tuple(buttons.values()),
            tuple(secret for reply in replies for secret in reply.secrets),
            tuple(file for reply in replies for file in reply.attachments),
            next((reply.order_number for reply in replies if reply.secrets), None),
        ),
    )
