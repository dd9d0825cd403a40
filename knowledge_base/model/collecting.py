"""From a checked kb.yaml to what a fit learns from."""

from collections.abc import Collection, Iterable, Iterator
from importlib.resources import files

from knowledge_base.model.material import Material
from knowledge_base.source.intent import IntentId
from knowledge_base.source.source import Source
from knowledge_base.text.normalize import Normalize


def material_of(source: Source, normalize: Normalize) -> Material:
    """Collect it from a checked kb.yaml."""
    numbers: dict[IntentId, int] = {name: n for n, name in enumerate(source.intents)}
    phrases: dict[tuple[str, int], None] = {}
    for intent in source.intents.values():
        for phrase in intent.asks:
            phrases[normalize(phrase), numbers[intent.id]] = None
    asked = {phrase for phrase, _ in phrases}
    refused = {
        (normalize(phrase), numbers[intent.id]): None
        for intent in source.intents.values()
        for phrase in intent.nots
    }
    outside = _others((normalize(phrase) for phrase in source.out_of_scope), asked)
    everyday = (normalize(phrase) for phrase in (*source.background, *everyday_phrases()))
    return Material(
        intents=tuple(numbers),
        phrases=tuple(pair for pair in phrases if pair[0]),
        titles=tuple(normalize(intent.title) for intent in source.intents.values()),
        refused=tuple(pair for pair in refused if pair[0] and pair not in phrases),
        outside=outside,
        background=_others(everyday, asked.union(outside)),
    )


def _others(phrases: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase and phrase not in known))


def everyday_phrases() -> Iterator[str]:
    """Yield phrases that people write to each other about everything but a card shop."""
    for line in (
        files("knowledge_base.model").joinpath("background.txt").read_text("utf-8").splitlines()
    ):
        if line.strip() and not line.startswith("#"):
            yield line.strip()
