"""Declaration of a tool: what it needs to be told, what it can say, and in which words.

Whoever implements tools hands these in. kb.yaml is checked against them; the dialogue asks for
slots and fills them by them; words for customers and agents are taken from them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Text = tuple[str, str]
"""Chinese and English; with ``{{ variables }}`` where it words an outcome."""

SlotReader = Callable[[str, str | None], str | None]
"""(What the customer wrote, name of the slot that was asked for) → the value in it, if it fits."""


@dataclass(frozen=True, slots=True)
class SlotTexts:
    """Sentences that ask a customer for a slot.

    Attributes:
        question: At first.
        unreadable: After an answer that held no value.
        resume: After another question in between.
        where: To somebody who says that they do not have it; ``None``: ``unreadable``.
        offer: Under an answer to which the value would only add something.
        by_mail: Under the question, where a code can be mailed to the customer instead.
    """

    question: Text
    unreadable: Text
    resume: Text
    where: Text | None = None
    offer: Text | None = None
    by_mail: Text | None = None


def _may_always_mean(_intent: str, _outcome: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that a tool needs to be told.

    A value comes from the customer's words by ``read``. What else may fill it: the question itself
    (``from_question``), any short answer (``answer_chars``), what was spoken of a while ago
    (``stays_turns``), a message that the customer quotes (where it ``opens`` a tool).

    Attributes:
        name: As stored, and as ``ask_slot:NAME`` tells it.
        title: In Chinese, for the writer of kb.yaml.
        shape: Form of a value, in Chinese.
        texts: How it is asked for.
        read: Finds the value in a text, wherever it stands; ``None``: it has no form.
        is_secret: Never remembered, sealed where it is stored.
        is_required: Asked for before the tool runs; ``False``: taken if it is there, and asked for
            only where the tool says so.
        from_question: The customer's question names it.
        answer_chars: So many characters of any words are an answer, unless they ask something else.
        stays_turns: Turns for which a value that was spoken of fills it; 0: it never does.
        may_mean: Whether what was spoken of may be meant: (intent, outcome of the last look-up).
        opens: Tool to run if a message holds a value and says nothing else; ``None``: none.
        lost_words: What customers write who do not have it.
    """

    name: str
    title: str
    shape: str
    texts: SlotTexts
    read: SlotReader | None = None
    is_secret: bool = False
    is_required: bool = True
    from_question: bool = False
    answer_chars: int = 0
    stays_turns: int = 0
    may_mean: Callable[[str, str], bool] = _may_always_mean
    opens: str | None = None
    lost_words: tuple[str, ...] = ()

    @property
    def takes_any_code(self) -> bool:
        """Tell whether any code is the answer: passwords may resemble whatever they like."""
        return self.is_secret and self.answer_chars > 0


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """One way in which a tool's call can end.

    Attributes:
        explained: In Chinese, for agents and for the writer of kb.yaml.
        said: To the customer, where kb.yaml does not word it; a template.
        reason: Why a person is called (``handoff.machine.events.Reason``); ``None``: none is.
    """

    explained: str
    said: Text
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as everybody but its own function sees it.

    Attributes:
        name: As written after ``tool:``.
        title: In Chinese, for agents.
        intent: Intent that a call belongs to where none was recognised.
        slots: What it needs, in the order in which it asks; the first one is what it is about.
        variables: Dotted names for answers (``order.summary``) → explanation in Chinese.
        outcomes: How a call can end, by name (``not_found``).
        shows_again: It shows once more what was hidden when a proof ended.
    """

    name: str
    title: str
    intent: str
    slots: tuple[Slot, ...]
    variables: Mapping[str, str]
    outcomes: Mapping[str, ToolOutcome]
    shows_again: bool = field(default=False, kw_only=True)

    @property
    def subject(self) -> str | None:
        """Name of the slot that the tool is about; tools with one subject follow each other."""
        return self.slots[0].name if self.slots else None

    def slot(self, name: str) -> Slot | None:
        """Return the slot of this name; ``None`` if the tool has none."""
        return next((slot for slot in self.slots if slot.name == name), None)


ToolSpecs = Mapping[str, ToolSpec]
"""The tools that there are, by name."""


def entity_slots(specs: ToolSpecs) -> tuple[Slot, ...]:
    """Return the slots whose values say enough by themselves, in order of declaration."""
    slots = {slot.name: slot for spec in specs.values() for slot in spec.slots}
    return tuple(slot for slot in slots.values() if slot.opens is not None)
