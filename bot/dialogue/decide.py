"""One turn's decision: an utterance and the memory in, actions and the new memory out. Pure.

In this order: a button is a choice already made; a pending question may be answered,
corrected, cancelled or interrupted; what is left are questions, one to three in a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

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
)
from bot.dialogue.memory import Memory, PendingTool
from bot.dialogue.policy import Policy
from knowledge_base.recognition.recognition import Band, Candidate, Recognition
from knowledge_base.source.intent import Intent, IntentId
from knowledge_base.text.masks import masked

Questions = Callable[[str, str], tuple[Recognition, ...]]
"""(Text, the question right before it) → what is asked."""

CHITCHAT = frozenset({"greeting", "thanks", "goodbye", "who_are_you"})
FAREWELLS = frozenset({"thanks", "goodbye"})
HUMAN = IntentId("human_agent")
_CANCEL = frozenset(
    {
        *("算了", "算了吧", "不查了", "不用了", "不用查了", "取消", "没事了", "不要了", "不弄了"),
        *("算了不查了", "先不查了", "不用麻烦了", "nevermind", "cancel", "stop", "forgetit"),
    }
)
VERIFY = "verify"
"""The button under a line whose secrets are hidden; with ``:NUMBER`` where it is known."""
_VERIFY_WORDS = frozenset({"再次验证", "重新验证", "verifyagain"})
_ORDINALS = {"第一个": 1, "第二个": 2, "第三个": 3, "第四个": 4}
_NO_NUMBER = (
    "没有订单号",
    "找不到订单号",
    "不知道订单号",
    "订单号忘",
    "忘了订单号",
    "没订单号",
    "订单号在哪",
    "哪里看订单号",
    "订单号丢",
    "no order number",
    "lost my order",
)
_UNREAD = {"image": "media_unread", "voice": "voice_unread", "other": "other_unread"}
_MAX_PROOF_CHARS = 64
_CODE = re.compile(r"[!-~]+")
_MAX_QUESTIONS = 3
_MAX_CHOICES = 3
_QUESTION_CHARS = 60
_ORDER_STAYS_TURNS = 3
_ORDER_TOOLS = frozenset({"order_lookup", "card_resend"})


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the customer said in this turn, with what was read out of it.

    Attributes:
        text: As typed, fragments joined.
        words: The text without the numbers and keys in it: what there is to be understood.
        button: The pressed button's id.
        media: ``image``, ``voice`` or ``other``: what it carries; ``None`` where it is words.
        order_number: The order number in it, in stored form.
        card_secret: The card key in it.
        proof: A query password or contact that is named as such in it ("密码 123456").
        is_english: It is English.
        has_secret: It holds something that is not to be remembered.
    """

    text: str = field(default="", repr=False)
    words: str = field(default="", repr=False)
    button: str | None = None
    media: str | None = None
    order_number: str | None = None
    card_secret: SecretStr | None = None
    proof: SecretStr | None = None
    is_english: bool = False
    has_secret: bool = False


class Dialogue:
    """Decides, for one knowledge base and one policy."""

    def __init__(
        self, intents: Mapping[IntentId, Intent], questions: Questions, policy: Policy
    ) -> None:
        self._intents = intents
        self._questions = questions
        self._policy = policy

    def decide(self, utterance: Utterance, memory: Memory) -> tuple[Decision, Memory]:
        """Decide what to do about an utterance.

        Returns:
            The actions, never empty, and the memory after them (tools may add to it).
        """
        memory = replace(memory, is_english=utterance.is_english, order_age=memory.order_age + 1)
        button = utterance.button or self._picked(utterance.text, memory)
        if button is None and _plain(utterance.text) in _VERIFY_WORDS:
            button = VERIFY
        memory = replace(memory, offered=())
        if button is not None:
            return self._pressed(button, utterance, memory)
        if utterance.media is not None and not utterance.text.strip():
            return self._media(utterance.media, memory)
        memory = replace(memory, unread_media=0)
        if not any(char.isalnum() for char in utterance.text):
            return Decision((Remark("no_words"),)), memory
        if memory.pending is not None and _plain(utterance.text) in _CANCEL:
            return Decision((Remark("cancelled"),)), replace(memory, pending=None)
        recognitions = self._recognised(utterance.words, memory.last_question)
        if memory.pending is not None:
            return self._continue(memory.pending, utterance, recognitions, memory)
        return self._fresh(utterance, recognitions, memory)

    def _recognised(self, words: str, before: str) -> tuple[Recognition, ...]:
        if not any(char.isalnum() for char in words):
            return ()
        return self._questions(words, before)[:_MAX_QUESTIONS]

    # ------------------------------------------------------------------ choices

    @staticmethod
    def _picked(text: str, memory: Memory) -> str | None:
        """The offered button that "2" or its label names, where a channel has no buttons."""
        if not memory.offered:
            return None
        plain = _plain(text)
        number = _ORDINALS.get(plain) or (
            int(plain) if plain.isdecimal() and len(plain) == 1 else 0
        )
        if 1 <= number <= len(memory.offered):
            return memory.offered[number - 1][0]
        return next((key for key, label in memory.offered if _plain(label) == plain), None)

    def _pressed(
        self, button: str, utterance: Utterance, memory: Memory
    ) -> tuple[Decision, Memory]:
        kind, _, value = button.partition(":")
        if kind == "intent" and value in self._intents:
            chosen = Recognition(
                text=utterance.text,
                candidates=(Candidate(IntentId(value), 1.0, "button"),),
                band=Band.ANSWER,
                rule="button",
            )
            return self._fresh(utterance, (chosen,), replace(memory, pending=None))
        if kind == "handoff":
            return self._call_person("asked", HUMAN, memory, ())
        if kind == "none":
            return self._missed((), (), memory)
        if kind == "code" and memory.pending is not None:
            run = Run(
                tool=memory.pending.tool,
                intent=IntentId(memory.pending.intent),
                slots=memory.pending.slots,
                wants_code=True,
            )
            return Decision((run,)), memory
        if kind == "cancel":
            return Decision((Remark("cancelled"),)), replace(memory, pending=None)
        if kind == VERIFY:
            return self._verify_again(value or memory.last_order, memory)
        return Decision((Remark("button_gone"),)), memory

    def _verify_again(self, number: str | None, memory: Memory) -> tuple[Decision, Memory]:
        """What was shown is hidden since the proof ended: it is asked for once more."""
        intent = next(
            (one.id for one in self._intents.values() if one.tool == "card_resend"),
            IntentId("order_resend"),
        )
        memory = replace(memory, pending=None, last_tool=intent)
        if number is None:
            action, memory = self._ask("card_resend", "order_number", intent, {}, memory)
            return Decision((action,)), memory
        return Decision((Run("card_resend", intent, {"order_number": number}),)), memory

    def _media(self, media: str, memory: Memory) -> tuple[Decision, Memory]:
        wanted = self._intents.get(IntentId(memory.last_intent or ""))
        if wanted is not None and wanted.wants_evidence and media != "voice":
            return Decision((Remark("evidence_taken"),)), replace(memory, unread_media=0)
        unread = memory.unread_media + 1
        memory = replace(memory, unread_media=unread)
        if unread >= self._policy.unread_media_before_handoff:
            return self._call_person("unreadable_media", None, memory, ())
        return Decision((Remark(_UNREAD[media]),)), memory

    # ------------------------------------------------------------------ a question is pending

    def _continue(
        self,
        pending: PendingTool,
        utterance: Utterance,
        recognitions: tuple[Recognition, ...],
        memory: Memory,
    ) -> tuple[Decision, Memory]:
        # "my-password" is a password where one was asked for, whatever it resembles
        is_typed = pending.asking == "proof" and _CODE.fullmatch(utterance.text.strip()) is not None
        sure = [
            one
            for one in recognitions
            if one.band is Band.ANSWER and (one.rule == "exact" or not is_typed)
        ]
        others = [one for one in sure if not self._is_same_matter(one, pending)]
        filled = self._fill(pending, utterance, is_interrupted=bool(others))
        if filled is not None:
            # "不对，是 DD…" corrects: the new value simply wins; a second question goes along
            rest, memory = self._actions(others, utterance, replace(memory, pending=None))
            return Decision((filled, *rest), recognitions), replace(memory, misses=0)
        if others:
            actions, after = self._actions(others, utterance, memory)
            if pending.is_optional or _ends_matter(actions):
                return Decision(actions, recognitions), replace(after, pending=None)
            if after.pending is not memory.pending:  # the new matter asks for something itself
                return Decision(actions, recognitions), after
            if any(one.candidates[0].intent in FAREWELLS for one in others):
                return Decision(actions, recognitions), replace(after, pending=None)
            resume = Ask(pending.tool, pending.asking, IntentId(pending.intent), why="resume")
            return Decision((*actions, resume), recognitions), after
        if pending.is_optional:
            return self._fresh(utterance, recognitions, replace(memory, pending=None))
        if sure:  # the same matter once more: ask again, kindly
            memory = replace(memory, pending=replace(pending, intent=sure[0].candidates[0].intent))
            again = Ask(pending.tool, pending.asking, sure[0].candidates[0].intent)
            return Decision((again,), recognitions), memory
        return self._unreadable(pending, utterance, recognitions, memory)

    def _unreadable(
        self,
        pending: PendingTool,
        utterance: Utterance,
        recognitions: tuple[Recognition, ...],
        memory: Memory,
    ) -> tuple[Decision, Memory]:
        tries = pending.tries + 1
        memory = replace(memory, pending=replace(pending, tries=tries))
        if tries >= self._policy.slot_tries_before_handoff:
            intent = IntentId(pending.intent)
            return self._call_person("two_misses", intent, memory, recognitions)
        if any(words in utterance.text.lower() for words in _NO_NUMBER):
            return Decision((Remark("where_is_number"),), recognitions), memory
        ask = Ask(pending.tool, pending.asking, IntentId(pending.intent), why="unreadable")
        return Decision((ask,), recognitions), memory

    def _is_same_matter(self, recognition: Recognition, pending: PendingTool) -> bool:
        intent = self._intents[recognition.candidates[0].intent]
        return intent.tool is not None and (
            intent.tool == pending.tool or {intent.tool, pending.tool} <= _ORDER_TOOLS
        )

    @staticmethod
    def _fill(pending: PendingTool, utterance: Utterance, *, is_interrupted: bool) -> Run | None:
        """The tool's run, if the utterance holds what was asked for."""
        slots = dict(pending.slots)
        secrets: dict[str, SecretStr] = {}
        intent = IntentId(pending.intent)
        if utterance.order_number is not None and pending.tool in _ORDER_TOOLS:
            slots["order_number"] = utterance.order_number
        if utterance.proof is not None and pending.tool in _ORDER_TOOLS:
            secrets["proof"] = utterance.proof
        match pending.asking:
            case "order_number":
                found = "order_number" in slots and utterance.order_number is not None
            case "proof":
                found = "proof" in secrets or utterance.order_number is not None
                typed = utterance.text.strip()
                if not found and not is_interrupted and 0 < len(typed) <= _MAX_PROOF_CHARS:
                    secrets["proof"] = SecretStr(typed)
                    found = True
            case "card_secret":
                found = utterance.card_secret is not None
                if utterance.card_secret is not None:
                    secrets["card_secret"] = utterance.card_secret
            case _:
                found = not is_interrupted
                slots[pending.asking] = utterance.text.strip()
        return Run(pending.tool, intent, slots, secrets) if found else None

    # ------------------------------------------------------------------ nothing is pending

    def _fresh(
        self, utterance: Utterance, recognitions: tuple[Recognition, ...], memory: Memory
    ) -> tuple[Decision, Memory]:
        recognitions = tuple(self._settled(one, utterance) for one in recognitions)
        sure = [one for one in recognitions if one.band is Band.ANSWER]
        if sure:
            actions, memory = self._actions(sure, utterance, replace(memory, misses=0))
            unsure = [one for one in recognitions if one.band is Band.CLARIFY]
            if unsure and not _waits(actions):  # a second question, asked back after the first
                actions = (*actions, Clarify(_choices(unsure[0])))
            return Decision(actions, recognitions), memory
        entity = self._about_entity(utterance, memory)
        if entity is not None:
            return Decision((entity,), recognitions), replace(memory, misses=0)
        unsure = [one for one in recognitions if one.band is Band.CLARIFY]
        if unsure:
            return Decision((Clarify(_choices(unsure[0])),), recognitions), memory
        near = tuple(one.intent for found in recognitions for one in found.candidates[:2])
        return self._missed(recognitions, near, memory)

    def _settled(self, recognition: Recognition, utterance: Utterance) -> Recognition:
        """An order number or a card key in the message decides between close candidates."""
        if recognition.band is not Band.CLARIFY:
            return recognition
        wanted: frozenset[str] = frozenset()
        if utterance.order_number is not None:
            wanted = _ORDER_TOOLS
        elif utterance.card_secret is not None:
            wanted = frozenset({"card_status"})
        for candidate in recognition.candidates[:_MAX_CHOICES]:
            if self._intents[candidate.intent].tool in wanted:
                others = tuple(one for one in recognition.candidates if one is not candidate)
                return replace(
                    recognition,
                    candidates=(candidate, *others),
                    band=Band.ANSWER,
                    rule="entity",
                )
        return recognition

    def _about_entity(self, utterance: Utterance, memory: Memory) -> Run | None:
        """A bare order number or card key says enough."""
        if utterance.order_number is not None:
            # a bare number means what was spoken of; with words around it, where the order stands
            is_bare = not any(char.isalnum() for char in utterance.words)
            intent = IntentId((memory.last_tool if is_bare else None) or "order_status")
            tool = self._intents[intent].tool if intent in self._intents else None
            secrets = {"proof": utterance.proof} if utterance.proof is not None else {}
            return Run(
                tool if tool in _ORDER_TOOLS else "order_lookup",
                intent if tool in _ORDER_TOOLS else IntentId("order_status"),
                {"order_number": utterance.order_number},
                secrets,
            )
        if utterance.card_secret is not None:
            return Run(
                "card_status",
                IntentId("card_status"),
                secrets={"card_secret": utterance.card_secret},
            )
        return None

    def _actions(
        self, sure: Sequence[Recognition], utterance: Utterance, memory: Memory
    ) -> tuple[tuple[Action, ...], Memory]:
        """An action for each question that was understood, in order."""
        actions: list[Action] = []
        for recognition in sure:
            action, memory = self._action(recognition, utterance, memory, is_only=len(sure) == 1)
            if not any(_is_same(action, other) for other in actions):
                actions.append(action)
        # who is handed to a person is not sold a card in the same breath
        handoffs = [action for action in actions if isinstance(action, HandOff)]
        if handoffs:
            actions = [action for action in actions if not isinstance(action, HandOff | Ask)]
            return (*actions, handoffs[0]), replace(memory, pending=None)
        if len(actions) > 1:
            polite = [self._is_chitchat(action) for action in actions]
            if any(polite) and not all(polite):  # "你好，……谢谢": the question is what counts
                actions = [
                    action
                    for action, is_polite in zip(actions, polite, strict=True)
                    if not is_polite
                ]
        return tuple(actions), memory

    @staticmethod
    def _is_chitchat(action: Action) -> bool:
        return isinstance(action, Answer) and action.intent in CHITCHAT

    def _action(
        self, recognition: Recognition, utterance: Utterance, memory: Memory, *, is_only: bool
    ) -> tuple[Action, Memory]:
        name = recognition.candidates[0].intent
        intent = self._intents[name]
        repeats = memory.repeats + 1 if memory.last_intent == name and is_only else 1
        has_entity = utterance.order_number is not None or utterance.card_secret is not None
        # a fragment leaves what it continued in place: 「那要几天」, then 「能快点吗」
        asked = memory.last_question if recognition.rule == "context" else recognition.text
        asked = "" if utterance.has_secret else masked(asked)
        memory = replace(
            memory, last_intent=name, repeats=repeats, last_question=asked[:_QUESTION_CHARS]
        )
        if intent.handoff is not None:
            reason = "asked" if name == HUMAN else "intent"
            return HandOff(reason, name), replace(memory, pending=None, repeats=0)
        is_circle = self._policy.is_going_in_circles(repeats)
        if is_circle and name not in CHITCHAT and not has_entity:
            return HandOff("repeated", name), replace(memory, pending=None, repeats=0)
        if intent.tool is None:
            return Answer(name), memory
        return self._tool_action(intent, recognition, utterance, memory)

    def _tool_action(
        self, intent: Intent, recognition: Recognition, utterance: Utterance, memory: Memory
    ) -> tuple[Action, Memory]:
        tool = intent.tool or ""
        memory = replace(memory, last_tool=intent.id)
        if tool == "product_lookup":
            slots = {"product": recognition.text or utterance.text}
            if memory.last_product is not None:
                slots["last_product"] = memory.last_product
            return Run(tool, intent.id, slots), memory
        if tool == "card_status":
            if utterance.card_secret is not None:
                return Run(tool, intent.id, secrets={"card_secret": utterance.card_secret}), memory
            return self._ask(tool, "card_secret", intent.id, {}, memory)
        # an order that was spoken of a while ago may not be the one that is meant now
        is_fresh = memory.order_age <= _ORDER_STAYS_TURNS and _may_mean(intent.id, memory)
        number = utterance.order_number or (memory.last_order if is_fresh else None)
        if number is None:
            return self._ask(tool, "order_number", intent.id, {}, memory)
        secrets = {"proof": utterance.proof} if utterance.proof is not None else {}
        return Run(tool, intent.id, {"order_number": number}, secrets), memory

    @staticmethod
    def _ask(
        tool: str, slot: str, intent: IntentId, slots: Mapping[str, str], memory: Memory
    ) -> tuple[Action, Memory]:
        running = memory.pending
        if running is not None and not running.is_optional and running.asking == slot:
            return Ask(tool, slot, IntentId(running.intent)), memory
        pending = PendingTool(tool=tool, intent=intent, asking=slot, slots=dict(slots))
        return Ask(tool, slot, intent), replace(memory, pending=pending)

    # ------------------------------------------------------------------ ways out

    def _missed(
        self, recognitions: tuple[Recognition, ...], near: tuple[IntentId, ...], memory: Memory
    ) -> tuple[Decision, Memory]:
        misses = memory.misses + 1
        memory = replace(memory, misses=misses)
        if self._policy.is_lost(misses):
            return self._call_person("two_misses", None, memory, recognitions)
        return Decision((Fallback(tuple(dict.fromkeys(near))[:2]),), recognitions), memory

    @staticmethod
    def _call_person(
        reason: str,
        intent: IntentId | None,
        memory: Memory,
        recognitions: tuple[Recognition, ...],
    ) -> tuple[Decision, Memory]:
        memory = replace(memory, pending=None, misses=0, repeats=0, unread_media=0)
        return Decision((HandOff(reason, intent),), recognitions), memory


def _may_mean(intent: str, memory: Memory) -> bool:
    """A top-up that did not arrive is not the card order that was spoken of."""
    last = memory.orders[-1][1] if memory.orders else ""
    return intent != "topup_not_arrived" or last.startswith("topup_")


def _is_same(action: Action, other: Action) -> bool:
    """Two questions whose answer is one look-up are answered once."""
    if isinstance(action, Run) and isinstance(other, Run):
        return (action.tool, action.slots) == (other.tool, other.slots)
    if isinstance(action, Ask) and isinstance(other, Ask):
        return action.slot == other.slot
    return action == other


def _choices(recognition: Recognition) -> tuple[IntentId, ...]:
    return tuple(one.intent for one in recognition.candidates[:_MAX_CHOICES])


def _waits(actions: Sequence[Action]) -> bool:
    """Whether somebody is to answer already: the customer, or a person."""
    return any(isinstance(action, HandOff | Ask) for action in actions)


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _ends_matter(actions: Sequence[Action]) -> bool:
    return any(isinstance(action, HandOff) for action in actions)
