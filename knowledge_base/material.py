"""What a fit learns from: the phrases of a knowledge base, normalised, and nothing else of it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files

from knowledge_base.intent import IntentId
from knowledge_base.normalize import Normalizer
from knowledge_base.source import Source

# Raise it when a change of the code must make cached fits worthless.
FIT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that decides a fit.

    Attributes:
        intents: Ids; the position is the class number.
        phrases: (normalised phrase, class number), in the order of kb.yaml, without repeats.
        titles: Normalised title of each class: one more phrase, which is never left out.
        background: Everyday phrases, ``out_of_scope:`` and ``not:`` ones.
    """

    intents: tuple[str, ...]
    phrases: tuple[tuple[str, int], ...]
    titles: tuple[str, ...]
    background: tuple[str, ...]

    def as_json(self) -> str:
        """The same as text; equal materials give equal texts."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @property
    def key(self) -> str:
        """Name of the fit in the cache: hexadecimal, 32 characters."""
        return hashlib.sha256(f"{FIT_VERSION}{self.as_json()}".encode()).hexdigest()[:32]


def material_from_json(text: str) -> Material:
    """Undo ``Material.as_json``."""
    raw = json.loads(text)
    return Material(
        intents=tuple(raw["intents"]),
        phrases=tuple((phrase, number) for phrase, number in raw["phrases"]),
        titles=tuple(raw["titles"]),
        background=tuple(raw["background"]),
    )


def material_of(source: Source, normalizer: Normalizer) -> Material:
    """Collect it from a checked kb.yaml."""
    numbers: dict[IntentId, int] = {name: n for n, name in enumerate(source.intents)}
    phrases: dict[tuple[str, int], None] = {}
    for intent in source.intents.values():
        for phrase in intent.asks:
            phrases[normalizer.normalize(phrase), numbers[intent.id]] = None
    asked = {phrase for phrase, _ in phrases}
    negative = (
        normalizer.normalize(phrase)
        for phrase in (
            *source.out_of_scope,
            *(phrase for intent in source.intents.values() for phrase in intent.nots),
            *source.background,
            *everyday_phrases(),
        )
    )
    return Material(
        intents=tuple(numbers),
        phrases=tuple(pair for pair in phrases if pair[0]),
        titles=tuple(normalizer.normalize(intent.title) for intent in source.intents.values()),
        background=tuple(dict.fromkeys(p for p in negative if p and p not in asked)),
    )


def everyday_phrases() -> Iterator[str]:
    """What people write to each other about everything but a card shop."""
    for line in files("knowledge_base").joinpath("background.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()
