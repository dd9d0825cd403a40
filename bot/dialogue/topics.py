"""From understood questions to actions: an answer, a tool, a person. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.dialogue.actions import Action, Answer, Ask, HandOff, Run
from bot.dialogue.memory import Memory, PendingTool
from bot.dialogue.policy import Policy
from bot.dialogue.slots import asked_in, call, remembered, said_in
from bot.dialogue.utterance import Utterance
from knowledge_base.recognition.recognition import Band, Candidate, Recognition
from knowledge_base.source.intent import Intent, IntentId
from knowledge_base.source.tool_spec import ToolSpec, ToolSpecs, entity_slots
from knowledge_base.text.masks import masked

CHITCHAT = frozenset({"greeting", "thanks", "goodbye", "who_are_you"})
FAREWELLS = frozenset({"thanks", "goodbye"})
HUMAN = IntentId("human_agent")
MAX_CHOICES = 3
_QUESTION_CHARS = 60
_CERTAIN = frozenset({"exact", "pattern"})


class Topics:
    """Chooses an action for each question of a message.

    Args:
        specs: The tools that intents may name.
    """

    def __init__(
        self, intents: Mapping[IntentId, Intent], specs: ToolSpecs, policy: Policy
    ) -> None:
        self.intents = intents
        self.specs = specs
        self._policy = policy
        self._entities = entity_slots(specs)

    def actions(
        self, sure: Sequence[Recognition], utterance: Utterance, memory: Memory
    ) -> tuple[tuple[Action, ...], Memory]:
        """Return an action for each question that was understood, in order."""
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
        # "你好，……谢谢": the question is what counts
        questions = [action for action in actions if not _is_chitchat(action)]
        return tuple(questions or actions), memory

    def settled(self, recognition: Recognition, utterance: Utterance) -> Recognition:
        """Let an order number or a card key in the message decide between close candidates."""
        entity = utterance.first_of(self._entities)
        if recognition.band is not Band.CLARIFY or entity is None:
            return recognition
        for candidate in recognition.candidates[:MAX_CHOICES]:
            spec = self.spec_of(candidate.intent)
            if spec is not None and spec.subject == entity.name:
                return _decided(recognition, candidate)
        return recognition

    def opened_by_entity(
        self, utterance: Utterance, memory: Memory
    ) -> tuple[Action, Memory] | None:
        """Return what a bare order number or card key asks for; ``None`` if there is none."""
        entity = utterance.first_of(self._entities)
        if entity is None or entity.opens is None:
            return None
        spec, intent = self.specs[entity.opens], IntentId(self.specs[entity.opens].intent)
        # a bare number means what was spoken of; with words around it, where the order stands
        is_bare = not any(char.isalnum() for char in utterance.words)
        last = self.spec_of(memory.last_tool) if is_bare else None
        if last is not None and last.subject == entity.name:
            spec, intent = last, IntentId(memory.last_tool or "")
        return call(spec, intent, said_in(spec, utterance), memory)

    def verified_again(self, value: str | None, memory: Memory) -> tuple[Action, Memory] | None:
        """Return what shows again what was hidden since a proof ended; ``None``: nothing can.

        Args:
            value: Of the tool's subject (an order's number); ``None``: what was spoken of last.
        """
        spec = next((spec for spec in self.specs.values() if spec.shows_again), None)
        if spec is None or spec.subject is None:
            return None
        mention = memory.spoken_of.get(spec.subject)
        value = value or (mention.value if mention is not None else None)
        own = (intent.id for intent in self.intents.values() if intent.tool == spec.name)
        intent = next(own, IntentId(spec.intent))
        memory = replace(memory, pending=None, last_tool=intent)
        return call(spec, intent, {spec.subject: value} if value is not None else {}, memory)

    def is_same_matter(self, recognition: Recognition, pending: PendingTool) -> bool:
        """Tell whether a question is about what the pending tool is about."""
        spec = self.spec_of(recognition.candidates[0].intent)
        return spec is not None and spec.subject == self.specs[pending.tool].subject

    def holds_proof(self, utterance: Utterance) -> bool:
        """Tell whether the text holds a tool's subject, and beside it a secret of the same tool."""
        return any(
            spec.subject in utterance.values
            and any(slot.is_secret and slot.name in utterance.values for slot in spec.slots)
            for spec in self.specs.values()
            if spec.subject is not None
        )

    def is_certain(self, recognition: Recognition) -> bool:
        """Tell whether a question was not told by resemblance alone, or asks for a look-up."""
        intent = self.intents[recognition.candidates[0].intent]
        return recognition.rule in _CERTAIN or intent.tool is not None or intent.handoff is not None

    def names_entity(self, utterance: Utterance) -> bool:
        """Tell whether the text holds a value that says enough by itself."""
        return utterance.first_of(self._entities) is not None

    def spec_of(self, intent: str | None) -> ToolSpec | None:
        """Return the tool of an intent; ``None`` for an intent without one."""
        known = self.intents.get(IntentId(intent or ""))
        return self.specs.get(known.tool) if known is not None and known.tool else None

    def _action(
        self, recognition: Recognition, utterance: Utterance, memory: Memory, *, is_only: bool
    ) -> tuple[Action, Memory]:
        name = recognition.candidates[0].intent
        intent = self.intents[name]
        memory = _having_asked(name, recognition, utterance, memory, is_only=is_only)
        if intent.handoff is not None:
            reason = "asked" if name == HUMAN else "intent"
            return HandOff(reason, name), replace(memory, pending=None, repeats=0)
        is_circle = self._policy.is_going_in_circles(memory.repeats) and name not in CHITCHAT
        if is_circle and not self.names_entity(utterance):
            return HandOff("repeated", name), replace(memory, pending=None, repeats=0)
        spec = self.spec_of(name)
        if spec is None:
            return Answer(name), memory
        memory = replace(memory, last_tool=name)
        known = {
            **remembered(spec, name, memory),
            **asked_in(spec, recognition.text or utterance.text),
            **said_in(spec, utterance),
        }
        return call(spec, name, known, memory)


def _having_asked(
    name: IntentId, recognition: Recognition, utterance: Utterance, memory: Memory, *, is_only: bool
) -> Memory:
    """Return the memory of a question, in the customer's words without numbers and keys."""
    repeats = memory.repeats + 1 if memory.last_intent == name and is_only else 1
    # a fragment leaves what it continued in place: 「那要几天」, then 「能快点吗」
    asked = memory.last_question if recognition.rule == "context" else recognition.text
    asked = "" if utterance.has_secret else masked(asked)[:_QUESTION_CHARS]
    return replace(memory, last_intent=name, repeats=repeats, last_question=asked)


def _decided(recognition: Recognition, candidate: Candidate) -> Recognition:
    others = tuple(other for other in recognition.candidates if other is not candidate)
    return replace(recognition, candidates=(candidate, *others), band=Band.ANSWER, rule="entity")


def _is_chitchat(action: Action) -> bool:
    return isinstance(action, Answer) and action.intent in CHITCHAT


def _is_same(action: Action, other: Action) -> bool:
    """Tell whether two actions are one: the same look-up, question or answer."""
    if isinstance(action, Run) and isinstance(other, Run):
        return (action.tool, action.slots) == (other.tool, other.slots)
    if isinstance(action, Ask) and isinstance(other, Ask):
        return action.slot == other.slot
    return action == other
