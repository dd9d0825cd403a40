"""kb.yaml → an immutable ``KnowledgeBase``; a reload is a new one in place of the old."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from knowledge_base.model.collecting import material_of
from knowledge_base.model.fitted import Model
from knowledge_base.model.fitting import Progress, fits
from knowledge_base.model.fuzzy import Fuzzy
from knowledge_base.model.material import Material
from knowledge_base.recognition.exact import Exact, fit_exact
from knowledge_base.recognition.guards import Guards, fit_guards
from knowledge_base.recognition.recognition import Recognizer, Thresholds, thresholds_of
from knowledge_base.source.intent import (
    Intent,
    IntentId,
    PolicySettings,
    ShopInfo,
)
from knowledge_base.source.patterns import Patterns, fit_patterns
from knowledge_base.source.source import Places, Source, read_source
from knowledge_base.source.tool_spec import ToolSpec
from knowledge_base.text.homophones import Homophones, fit_homophones
from knowledge_base.text.normalize import Normalize, Normalizer


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """Everything that the bot knows. Immutable: a reload makes a new one.

    Attributes:
        shop: Name, hours, welcome.
        intents: In the order of kb.yaml.
        recognizer: Tells what a customer wants.
        thresholds: The bands in use.
        policy: When the bot gives up.
        content_hash: SHA-256 of all files, hexadecimal.
        files: Every file read; watch these.
        source: What was written, with line numbers.
        material: What the classifier learnt from.
    """

    shop: ShopInfo
    intents: Mapping[IntentId, Intent]
    recognizer: Recognizer
    thresholds: Thresholds
    policy: PolicySettings
    content_hash: str
    files: tuple[Path, ...]
    source: Source
    material: Material

    @property
    def places(self) -> Places:
        """Lines of phrases: ``places["card_invalid", "ask", 3]``."""
        return self.source.places

    @property
    def phrase_count(self) -> int:
        """Phrases learnt from."""
        return len(self.material.phrases)


def load(
    path: Path,
    *,
    tools: Mapping[str, ToolSpec],
    cache_dir: Path | None,
    progress: Progress = lambda _step, _done: None,
) -> KnowledgeBase:
    """Read kb.yaml and everything it includes, fit what must be fitted, and check it all.

    Blocking: call it in a thread. A fit runs in a child process; the same phrases are never
    fitted twice while ``cache_dir`` is kept.

    Args:
        path: The main file.
        tools: What ``tool:`` may name.
        cache_dir: Where fits are kept by content hash; made if missing. ``None``: not kept.
        progress: Told what the fit is doing and its share done, in [0, 1].

    Raises:
        KnowledgeBaseError: kb.yaml is wrong; carries every problem.
        FitFailed: The fitting process broke.
    """
    written = _read(path, tools)
    *_, model = fits(written.material, cache_dir, progress)
    return written.with_model(model)


def reload(
    path: Path,
    *,
    tools: Mapping[str, ToolSpec],
    cache_dir: Path | None,
    previous: KnowledgeBase,
    progress: Progress = lambda _step, _done: None,
) -> Iterator[KnowledgeBase]:
    """Read kb.yaml anew, and give what can serve already: each is better than the one before.

    1. The new answers, hours and settings, and every phrase as it is written, on the previous
       classifier. Not where an intent was taken out, which that would still name.
    2. The new classifier, with calibration and thresholds of the previous one.
    3. The new classifier, calibrated. It comes alone where the fit is in the cache.

    Blocking, like ``load``, from one step to the next.

    Raises:
        KnowledgeBaseError: kb.yaml is wrong; carries every problem.
        FitFailed: The fitting process broke.
    """
    written = _read(path, tools)
    if written.source.intents.keys() >= set(previous.recognizer.intents):
        yield written.on_old_fit(previous)
    for model in fits(written.material, cache_dir, progress, previous.recognizer.model):
        yield written.with_model(model)


@dataclass(frozen=True)
class _Written:
    """A kb.yaml that was read, before there is a classifier for it."""

    source: Source
    normalizer: Normalizer

    @cached_property
    def normalize(self) -> Normalize:
        return cache(self.normalizer.normalize)  # every phrase is needed three times

    @cached_property
    def material(self) -> Material:
        return material_of(self.source, self.normalize)

    @cached_property
    def homophones(self) -> Homophones:
        asked = (phrase for phrase, _ in self.material.phrases)
        others = (*self.material.outside, *self.material.background)
        return fit_homophones((*asked, *self.material.titles), others)

    @cached_property
    def fuzzy(self) -> Fuzzy:
        by_class: list[list[str]] = [[title] for title in self.material.titles]
        for phrase, number in self.material.phrases:
            by_class[number].append(phrase)
        return Fuzzy(tuple(tuple(dict.fromkeys(phrases)) for phrases in by_class))

    @cached_property
    def settled(self) -> tuple[Exact, Patterns, Guards]:
        """Fit what needs no classifier: exact phrases, patterns and guards."""
        intents = self.source.intents.values()
        return (
            fit_exact(intents, self.source.out_of_scope, self.normalize),
            fit_patterns(intents),
            fit_guards(self.source.not_ours, intents, self.normalize),
        )

    def with_model(self, model: Model) -> KnowledgeBase:
        exact, patterns, guards = self.settled
        recognizer = Recognizer(
            normalizer=self.normalizer,
            homophones=self.homophones,
            exact=exact,
            patterns=patterns,
            guards=guards,
            fuzzy=self.fuzzy,
            model=model,
            intents=tuple(IntentId(name) for name in self.material.intents),
            thresholds=self._thresholds(model),
        )
        return _knowledge_base(self.source, recognizer, self.material)

    def on_old_fit(self, previous: KnowledgeBase) -> KnowledgeBase:
        exact, patterns, guards = self.settled
        recognizer = replace(
            previous.recognizer,
            normalizer=self.normalizer,
            exact=exact,
            patterns=patterns,
            guards=guards,
            thresholds=self._thresholds(previous.recognizer.model),
        )
        return _knowledge_base(self.source, recognizer, previous.material)

    def _thresholds(self, model: Model) -> Thresholds:
        return thresholds_of(model, self.source.thresholds.model_dump())


def _read(path: Path, tools: Mapping[str, ToolSpec]) -> _Written:
    source = read_source(path, tools)
    return _Written(source, Normalizer(source.synonyms))


def _knowledge_base(source: Source, recognizer: Recognizer, material: Material) -> KnowledgeBase:
    return KnowledgeBase(
        shop=source.shop,
        intents=source.intents,
        recognizer=recognizer,
        thresholds=recognizer.thresholds,
        policy=source.policy,
        content_hash=source.content_hash,
        files=source.files,
        source=source,
        material=material,
    )


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a value that changes with the files: by their size and time of change, not content.

    A missing file counts too, so that one that comes back is noticed.
    """
    seen = hashlib.sha256()
    for path in paths:
        try:
            stat = path.stat()
            seen.update(f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}\0{stat.st_ino}\0".encode())
        except OSError:
            seen.update(f"{path}\0missing\0".encode())
    return seen.hexdigest()
