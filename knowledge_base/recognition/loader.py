"""kb.yaml → an immutable ``KnowledgeBase``; a reload is a new one in place of the old."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from threading import Timer
from zipfile import BadZipFile

from knowledge_base.errors import FitFailed
from knowledge_base.model.collecting import material_of
from knowledge_base.model.fitted import Model, load_model
from knowledge_base.model.fuzzy import Fuzzy
from knowledge_base.model.material import Material
from knowledge_base.recognition.exact import fit_exact
from knowledge_base.recognition.guards import fit_guards
from knowledge_base.recognition.recognition import Recognizer, Thresholds, thresholds_of
from knowledge_base.source.intent import (
    Intent,
    IntentId,
    PolicySettings,
    ShopInfo,
)
from knowledge_base.source.patterns import fit_patterns
from knowledge_base.source.source import Places, Source, read_source
from knowledge_base.source.tool_spec import ToolSpec
from knowledge_base.text.homophones import Homophones, fit_homophones
from knowledge_base.text.normalize import Normalizer

Progress = Callable[[str, float], None]
_FIT_LIMIT_S = 300.0
_KEPT_FITS = 8


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
    source = read_source(path, tools)
    normalizer = Normalizer(source.synonyms)
    normalize = cache(normalizer.normalize)  # every phrase is needed three times
    material = material_of(source, normalize)
    if cache_dir is None:
        with tempfile.TemporaryDirectory(prefix="kefu-fit-") as folder:
            model = _fitted(material, Path(folder), progress)
    else:
        model = _fitted(material, cache_dir, progress)
    thresholds = thresholds_of(model, source.thresholds.model_dump())
    by_class: list[list[str]] = [[title] for title in material.titles]
    for phrase, number in material.phrases:
        by_class[number].append(phrase)
    recognizer = Recognizer(
        normalizer=normalizer,
        homophones=_homophones_of(material),
        exact=fit_exact(source.intents.values(), source.out_of_scope, normalize),
        patterns=fit_patterns(source.intents.values()),
        guards=fit_guards(source.not_ours, source.intents.values(), normalize),
        fuzzy=Fuzzy(tuple(tuple(dict.fromkeys(phrases)) for phrases in by_class)),
        model=model,
        intents=tuple(IntentId(name) for name in material.intents),
        thresholds=thresholds,
    )
    return _knowledge_base(source, recognizer, material)


def load_on_old_fit(
    path: Path, *, tools: Mapping[str, ToolSpec], previous: KnowledgeBase
) -> KnowledgeBase | None:
    """Read kb.yaml anew, with the classifier that was fitted on the one before.

    It serves from the moment a file is saved until the new fit is ready: answers, hours and
    settings are the new ones, and so is every phrase as it is written; only phrases that are merely
    like a new one still wait. Fast: nothing is fitted.

    Returns:
        ``None`` where an intent was taken out, which the old classifier would still name.

    Raises:
        KnowledgeBaseError: kb.yaml is wrong; carries every problem.
    """
    source = read_source(path, tools)
    if not source.intents.keys() >= set(previous.recognizer.intents):
        return None
    normalizer = Normalizer(source.synonyms)
    normalize = cache(normalizer.normalize)
    recognizer = replace(
        previous.recognizer,
        exact=fit_exact(source.intents.values(), source.out_of_scope, normalize),
        patterns=fit_patterns(source.intents.values()),
        guards=fit_guards(source.not_ours, source.intents.values(), normalize),
        normalizer=normalizer,
        thresholds=thresholds_of(previous.recognizer.model, source.thresholds.model_dump()),
    )
    return _knowledge_base(source, recognizer, previous.material)


def _homophones_of(material: Material) -> Homophones:
    asked = (phrase for phrase, _ in material.phrases)
    return fit_homophones((*asked, *material.titles), (*material.outside, *material.background))


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
    """Changes whenever one of the files does, cheaply: by size and time of change, not content.

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


def _fitted(material: Material, cache_dir: Path, progress: Progress) -> Model:
    """From the cache, else from a child process that leaves it there."""
    kept = cache_dir / f"{material.key}.npz"
    try:
        model = load_model(kept)
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        BadZipFile,
    ):  # missing, or cut short by a full disk
        cache_dir.mkdir(parents=True, exist_ok=True)
        _run_fit(material, kept, progress)
        _forget_old(cache_dir)
        return load_model(kept)
    kept.touch()  # the least recently used go first
    return model


def _run_fit(material: Material, into: Path, progress: Progress) -> None:
    # The child needs this package however the parent found it.
    root = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root,
        # Many small systems: BLAS's own threads only get into each other's way (fit has its own).
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    with tempfile.TemporaryFile("w+", encoding="utf-8") as given:
        given.write(material.as_json())
        given.seek(0)
        command = [sys.executable, "-m", "knowledge_base.model.fit", str(into)]
        with subprocess.Popen(  # noqa: S603  our own module, no shell
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            encoding="utf-8",
        ) as child:
            said = _listen(child, progress)
    if child.returncode != 0:
        raise FitFailed(f"fit ended with {child.returncode}: " + " | ".join(said))


def _listen(child: subprocess.Popen[str], progress: Progress) -> list[str]:
    """Pass steps on; give back the last other lines, which tell what went wrong."""
    watchdog = Timer(_FIT_LIMIT_S, child.kill)
    watchdog.start()
    others: list[str] = []
    try:
        for line in child.stdout or ():
            try:
                step = json.loads(line)
                progress(str(step["step"]), float(step["done"]))
            except (ValueError, KeyError, TypeError):
                others = [*others[-4:], line.strip()[:200]]
    finally:
        watchdog.cancel()
    return others


def _forget_old(cache_dir: Path) -> None:
    fits = sorted(cache_dir.glob("*.npz"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in fits[_KEPT_FITS:]:
        file.unlink(missing_ok=True)
