"""Running a fit in a process of its own, and keeping what it leaves behind."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer
from zipfile import BadZipFile

from knowledge_base.errors import FitFailed
from knowledge_base.model.fitted import Model, load_model
from knowledge_base.model.material import Material

Progress = Callable[[str, float], None]
_ROOT = str(Path(__file__).resolve().parents[2])
_LIMIT_S = 600.0
_KEPT_FITS = 8
_OTHER_LINES = 5


def fits(
    material: Material, cache_dir: Path | None, progress: Progress, previous: Model | None = None
) -> Iterator[Model]:
    """Give the fit of a material: from the cache, else from a child process that leaves it there.

    Args:
        material: What to learn from.
        cache_dir: Where fits are kept by content hash; made if missing. ``None``: not kept.
        progress: Told what the fit is doing and its share done, in [0, 1].
        previous: Lends its calibration and thresholds to a draft, which is given first where there
            must be a fit. ``None``: no draft.

    Raises:
        FitFailed: The fitting process broke.
    """
    if cache_dir is None:
        with tempfile.TemporaryDirectory(prefix="kefu-fit-") as folder:
            yield from _run(material, Path(folder) / "fit.npz", progress, previous)
        return
    kept = cache_dir / f"{material.key}.npz"
    try:
        model = load_model(kept)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        # missing, or cut short by a full disk
        cache_dir.mkdir(parents=True, exist_ok=True)
        yield from _run(material, kept, progress, previous)
        _forget_old(cache_dir)
    else:
        kept.touch()  # the least recently used go first
        yield model


def _run(
    material: Material, into: Path, progress: Progress, previous: Model | None
) -> Iterator[Model]:
    with tempfile.TemporaryDirectory(prefix="kefu-draft-") as folder:
        draft = Path(folder) / "draft.npz"
        others: list[str] = []
        with _child(material, into, *([draft] if previous else [])) as child:
            for line in child.stdout or ():
                try:
                    step = json.loads(line)
                    progress(str(step["step"]), float(step["done"]))
                except (ValueError, KeyError, TypeError):
                    others = [*others[1 - _OTHER_LINES :], line.strip()[:200]]
                else:
                    if step["step"] == "draft" and previous is not None:
                        yield replace(
                            load_model(draft),
                            calibration=previous.calibration,
                            answer=previous.answer,
                            clarify=previous.clarify,
                        )
            child.wait()
    if child.returncode != 0:
        raise FitFailed(f"fit ended with {child.returncode}: " + " | ".join(others))
    yield load_model(into)


@contextmanager
def _child(material: Material, *into: Path) -> Iterator[subprocess.Popen[str]]:
    """A running fit; it is ended with the block, and after ten minutes."""
    known = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        # The child needs this package however the parent found it.
        "PYTHONPATH": f"{_ROOT}{os.pathsep}{known}" if known else _ROOT,
        # Fits have threads of their own; BLAS's only get into their way.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        # glibc keeps memory apart for each thread: 70 MB more at 9,000 phrases.
        "MALLOC_ARENA_MAX": "1",
    }
    command = [sys.executable, "-m", "knowledge_base.model.fit", *map(str, into)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as given:
        given.write(material.as_json())
        given.seek(0)
        with subprocess.Popen(  # noqa: S603  our own module, no shell
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            encoding="utf-8",
        ) as child:
            watchdog = Timer(_LIMIT_S, child.kill)
            watchdog.start()
            try:
                yield child
            finally:
                watchdog.cancel()
                child.kill()  # nothing, where it has ended


def _forget_old(cache_dir: Path) -> None:
    fits = sorted(cache_dir.glob("*.npz"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in fits[_KEPT_FITS:]:
        file.unlink(missing_ok=True)
