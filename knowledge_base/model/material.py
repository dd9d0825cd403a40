"""Material of a fit: the phrases of a knowledge base, normalised, and nothing else of it.

The fitting process reads this module and nothing of kb.yaml's format: importing that would cost
it half a second.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

# Raise it when a change of the code must make cached fits worthless.
FIT_VERSION = 12


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that decides a fit.

    Attributes:
        intents: Ids; the position is the class number.
        phrases: (normalised phrase, class number), in the order of kb.yaml, without repeats.
        titles: Normalised title of each class: one more phrase, which is never left out.
        refused: (normalised phrase, class number) of ``not:``: what that class alone does not mean.
        outside: ``out_of_scope:``, near the shop's own topics as they may be.
        background: Everyday phrases.
    """

    intents: tuple[str, ...]
    phrases: tuple[tuple[str, int], ...]
    titles: tuple[str, ...]
    refused: tuple[tuple[str, int], ...]
    outside: tuple[str, ...]
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
        refused=tuple((phrase, number) for phrase, number in raw["refused"]),
        outside=tuple(raw["outside"]),
        background=tuple(raw["background"]),
    )
