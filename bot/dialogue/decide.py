"""Decision of one turn: an utterance and the memory in, actions and the new memory out. Pure.

In this order: a button is a choice already made; a pending question may be answered, corrected,
cancelled or interrupted; what is left are questions, one to three in a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.dialogue.actions import (
    Action,
    Ask,
    Clarify,
    Decision,
    Fallback,
    HandOff,
    Locate,
    Remark,
    Run,
)
from bot.dialogue.memory import Memory, PendingTool
from bot.dialogue.phrases import CANCEL, VERIFY_AGAIN, picked, plain
from bot.dialogue.policy import Policy
from bot.dialogue.slots import answered, call
from bot.dialogue.topics import FAREWELLS, HUMAN, MAX_CHOICES, Topics
from bot.dialogue.utterance import Utterance
from knowledge_base.recognition.recognition import Band, Candidate, Recognition
from knowledge_base.source.intent import Intent, IntentId
from knowledge_base.source.tool_spec import Slot, ToolSpecs

Questions = Callable[[str, str], tuple[Recognition, ...]]
"""(Text, the question right before it) → what is asked."""

VERIFY = "verify"
"""The button under a line whose secrets are hidden; with ``:NUMBER`` where it is known."""
_UNREAD = {"image": "media_unread", "voice": "voice_unread", "other": "other_unread"}
_CODE = re.compile(r"[!-~]+")
_MAX_QUESTIONS = 3

Decided = tuple[Decision, Memory]


class Dialogue:
    """Decides, for one knowledge base, its tools and one policy."""

    def __init__(
        self,
        intents: Mapping[IntentId, Intent],
        questions: Questions,
        policy: Policy,
        specs: ToolSpecs,
    ) -> None:
        self._intents = intents
        self._questions = questions
        self._policy = policy
        self._specs = specs
        self._topics = Topics(intents, specs, policy)

    def decide(self, utterance: Utterance, memory: Memory) -> Decided:
        """Decide what to do about an utterance.

        Returns:
            The actions, never empty, and the memory after them (tools may add to it).
        """
        memory = replace(memory.at_next_turn(), is_english=utterance.is_english)
        if memory.pending is not None and self.slot_asked(memory) is None:
            memory = replace(memory, pending=None)  # a tool that there is no more
        button = utterance.button or picked(utterance.text, memory.offered)
        if button is None and plain(utterance.text) in VERIFY_AGAIN:
            button = VERIFY
        memory = replace(memory, offered=())
        if button is not None:
            return self._pressed(button, utterance, memory)
        if utterance.media is not None and not utterance.text.strip():
            return self._media(utterance.media, memory)
        memory = replace(memory, unread_media=0)
        if not _has_words(utterance.text):
            return Decision((Remark("no_words"),)), memory
        if memory.pending is not None and plain(utterance.text) in CANCEL:
            return Decision((Remark("cancelled"),)), replace(memory, pending=None)
        words, before = utterance.words, memory.last_question
        recognitions = self._questions(words, before)[:_MAX_QUESTIONS] if _has_words(words) else ()
        if memory.pending is not None:
            return self._continue(memory.pending, utterance, recognitions, memory)
        return self._fresh(utterance, recognitions, memory)

    def slot_asked(self, memory: Memory) -> Slot | None:
        """Return the slot that was asked for last; ``None`` if no answer is awaited."""
        if memory.pending is None or memory.pending.tool not in self._specs:
            return None
        return self._specs[memory.pending.tool].slot(memory.pending.asking)

    def names_entity(self, utterance: Utterance) -> bool:
        """Tell whether the text holds a value that says enough by itself."""
        return self._topics.names_entity(utterance)

    # ------------------------------------------------------------------ choices

    def _pressed(self, button: str, utterance: Utterance, memory: Memory) -> Decided:
        kind, _, value = button.partition(":")
        asked = self.slot_asked(memory)
        if kind == "intent" and value in self._intents:
            chosen = _chosen(IntentId(value), utterance.text)
            return self._fresh(utterance, (chosen,), replace(memory, pending=None))
        if kind == "handoff":
            return self._call_person("asked", HUMAN, memory, ())
        if kind == "none":
            return self._missed((), (), memory)
        if kind == "code" and memory.pending is not None and asked and asked.texts.by_mail:
            pending = memory.pending
            run = Run(pending.tool, IntentId(pending.intent), pending.slots, wants_code=True)
            return Decision((run,)), memory
        if kind == "cancel":
            return Decision((Remark("cancelled"),)), replace(memory, pending=None)
        verified = self._topics.verified_again(value or None, memory) if kind == VERIFY else None
        if verified is not None:
            return Decision((verified[0],)), verified[1]
        return Decision((Remark("button_gone"),)), memory

    def _media(self, media: str, memory: Memory) -> Decided:
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
    ) -> Decided:
        sure = self._sure_beside_answer(utterance, recognitions, memory)
        others = [
            question for question in sure if not self._topics.is_same_matter(question, pending)
        ]
        spec, intent = self._specs[pending.tool], IntentId(pending.intent)
        known = answered(pending, spec, utterance, is_interrupted=bool(others))
        if known is not None:
            # "不对，是 DD…" corrects: the new value simply wins; a second question goes along
            first, memory = call(spec, intent, known, replace(memory, pending=None))
            rest, memory = self._topics.actions(others, utterance, memory)
            return Decision((first, *rest), recognitions), replace(memory, misses=0)
        if others:
            return self._interrupted(pending, others, utterance, recognitions, memory)
        if pending.is_optional:
            return self._fresh(utterance, recognitions, replace(memory, pending=None))
        if sure:  # the same matter once more: ask again, kindly
            intent = sure[0].candidates[0].intent
            memory = replace(memory, pending=replace(pending, intent=intent))
            return Decision((Ask(pending.tool, pending.asking, intent),), recognitions), memory
        return self._unreadable(pending, utterance, recognitions, memory)

    def _sure_beside_answer(
        self, utterance: Utterance, recognitions: Sequence[Recognition], memory: Memory
    ) -> list[Recognition]:
        """Return the questions that an answer certainly holds as well."""
        asked = self.slot_asked(memory)
        # "my-password" is a password where one was asked for, whatever it resembles
        is_code = _CODE.fullmatch(utterance.text.strip()) is not None
        is_typed = asked is not None and asked.takes_any_code and is_code
        return [
            found
            for found in recognitions
            if found.band is Band.ANSWER and (found.rule == "exact" or not is_typed)
        ]

    def _interrupted(
        self,
        pending: PendingTool,
        others: Sequence[Recognition],
        utterance: Utterance,
        recognitions: tuple[Recognition, ...],
        memory: Memory,
    ) -> Decided:
        """Answer another question, then ask once more for what is still needed."""
        actions, after = self._topics.actions(others, utterance, memory)
        says_goodbye = any(other.candidates[0].intent in FAREWELLS for other in others)
        calls_person = any(isinstance(action, HandOff) for action in actions)
        if pending.is_optional or calls_person:
            return Decision(actions, recognitions), replace(after, pending=None)
        if after.pending is not memory.pending:  # the new matter asks for something itself
            return Decision(actions, recognitions), after
        if says_goodbye:
            return Decision(actions, recognitions), replace(after, pending=None)
        resume = Ask(pending.tool, pending.asking, IntentId(pending.intent), why="resume")
        return Decision((*actions, resume), recognitions), after

    def _unreadable(
        self,
        pending: PendingTool,
        utterance: Utterance,
        recognitions: tuple[Recognition, ...],
        memory: Memory,
    ) -> Decided:
        tries = pending.tries + 1
        memory = replace(memory, pending=replace(pending, tries=tries))
        if tries >= self._policy.slot_tries_before_handoff:
            intent = IntentId(pending.intent)
            return self._call_person("two_misses", intent, memory, recognitions)
        asked = self.slot_asked(memory)
        if asked is not None and any(words in utterance.text.lower() for words in asked.lost_words):
            return Decision((Locate(pending.tool, pending.asking),), recognitions), memory
        ask = Ask(pending.tool, pending.asking, IntentId(pending.intent), why="unreadable")
        return Decision((ask,), recognitions), memory

    # ------------------------------------------------------------------ nothing is pending

    def _fresh(
        self, utterance: Utterance, recognitions: tuple[Recognition, ...], memory: Memory
    ) -> Decided:
        recognitions = tuple(self._topics.settled(found, utterance) for found in recognitions)
        sure = [found for found in recognitions if found.band is Band.ANSWER]
        unsure = [found for found in recognitions if found.band is Band.CLARIFY]
        if self._topics.holds_proof(utterance):
            # 「密码 … 单号 …」 asks for that order, whatever answer its two words resemble
            sure = [found for found in sure if self._topics.is_certain(found)]
        if sure:
            actions, memory = self._topics.actions(sure, utterance, replace(memory, misses=0))
            if unsure and not _waits(actions):  # a second question, asked back after the first
                actions = (*actions, Clarify(_choices(unsure[0])))
            return Decision(actions, recognitions), memory
        opened = self._topics.opened_by_entity(utterance, memory)
        if opened is not None:
            return Decision((opened[0],), recognitions), replace(opened[1], misses=0)
        if unsure:
            return Decision((Clarify(_choices(unsure[0])),), recognitions), memory
        near = tuple(near.intent for found in recognitions for near in found.candidates[:2])
        return self._missed(recognitions, near, memory)

    # ------------------------------------------------------------------ ways out

    def _missed(
        self, recognitions: tuple[Recognition, ...], near: tuple[IntentId, ...], memory: Memory
    ) -> Decided:
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
    ) -> Decided:
        memory = replace(memory, pending=None, misses=0, repeats=0, unread_media=0)
        return Decision((HandOff(reason, intent),), recognitions), memory


def _has_words(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _chosen(intent: IntentId, text: str) -> Recognition:
    """Return a pressed intent as if it had been recognised."""
    candidate = Candidate(intent, 1.0, "button")
    return Recognition(text=text, candidates=(candidate,), band=Band.ANSWER, rule="button")


def _choices(recognition: Recognition) -> tuple[IntentId, ...]:
    return tuple(choice.intent for choice in recognition.candidates[:MAX_CHOICES])


def _waits(actions: Sequence[Action]) -> bool:
    """Tell whether somebody is to answer already: the customer, or a person."""
    return any(isinstance(action, HandOff | Ask) for action in actions)
