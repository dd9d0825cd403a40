"""Contents of kb.yaml, once checked: the shop and its intents."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NewType
from zoneinfo import ZoneInfo

from knowledge_base.problem import Place
from knowledge_base.source.hours import OpeningHours

IntentId = NewType("IntentId", str)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The shop's own wording of how a tool's call ended; templates.

    Attributes:
        text: In Chinese.
        en: In English; ``None`` where only Chinese was written.
    """

    text: str
    en: str | None = None


@dataclass(frozen=True, slots=True)
class Handoff:
    """A person takes over.

    Attributes:
        text: Said to the customer; ``None``: the bot's own words.
    """

    text: str | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing customers want, and what to do about it.

    Exactly one of these holds: ``tool`` is set, ``handoff`` is set, or there are only ``answers``
    (with a tool, ``answers`` wrap what it found; they may be missing).

    Attributes:
        id: As in kb.yaml.
        title: On buttons and in the console.
        asks: How customers say it, as written.
        answers: Alternatives that say the same; Jinja2 templates.
        answers_en: The same in English; empty: say the Chinese one.
        answers_by_channel: Channel → alternatives, which replace ``answers`` there.
        tool: Name of a tool, or ``None``.
        handoff: Set where a person takes over at once.
        then: Intents offered next, best first.
        images: Files sent with the answer.
        outcomes: Outcome of the tool → the shop's own wording.
        tests: Phrases that must be recognised as this intent; never learnt from.
        nots: Phrases that look like this intent and are not.
        patterns: Regular expressions that settle it.
        wants_evidence: The answer asks for a screenshot.
        place: Where it starts.
    """

    id: IntentId
    title: str
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    answers_en: tuple[str, ...]
    answers_by_channel: Mapping[str, tuple[str, ...]]
    tool: str | None
    handoff: Handoff | None
    then: tuple[IntentId, ...]
    images: tuple[Path, ...]
    outcomes: Mapping[str, Outcome]
    tests: tuple[str, ...]
    nots: tuple[str, ...]
    patterns: tuple[str, ...]
    wants_evidence: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Privacy:
    """The notice on the customer's data before the first message.

    Attributes:
        en: In English; ``None``: the Chinese text is all there is.
        url: Where more of it stands.
    """

    text: str
    en: str | None = None
    url: str | None = None

    def said(self, *, is_english: bool) -> str:
        """The notice in one of the two languages, with its address.

        >>> Privacy("聊天会保存", url="https://a.example/p").said(is_english=False)
        '聊天会保存 https://a.example/p'
        """
        text = (self.en or self.text) if is_english else self.text
        return f"{text} {self.url}" if self.url else text


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """The shop as answers may name it (``shop.name`` …).

    Attributes:
        name: As customers know it.
        zone: Its time zone.
        hours: When people answer.
        welcome: First words of the chat; ``None``: the bot's own.
        welcome_buttons: Intents offered at once.
        service_email: Where to write to, if there is such an address.
        website: Address of the shop, if written.
        privacy: Said once to every customer; ``None`` where the shop's own page says it.
    """

    name: str
    zone: ZoneInfo
    hours: OpeningHours
    welcome: str | None = None
    welcome_buttons: tuple[IntentId, ...] = ()
    service_email: str | None = None
    website: str | None = None
    privacy: Privacy | None = None

    @property
    def timezone(self) -> str:
        """Name of the time zone, as in kb.yaml."""
        return self.zone.key


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """Limits at which the bot gives up.

    Attributes:
        misses_before_handoff: This many questions in a row not understood: offer a person.
        repeats_before_handoff: The same question this many times: offer a person.
    """

    misses_before_handoff: int = 2
    repeats_before_handoff: int = 3
