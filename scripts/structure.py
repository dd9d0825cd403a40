"""Measure how a checkout is built: folders, import cycles, functions, docstrings, texts, tasks.

Run: ``python scripts/structure.py [PATH]``. PATH is any checkout, so that two can be compared.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

QUESTION = re.compile(r"(What|Who|Whom|Whose|Whether|Where|When|Why|How|Which)\b")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CATALOGUE = re.compile(r"(^|/)(wording|texts)(/|\.py$|_)|handoff/desk/notices\.py$")
"""Files whose work is to hold texts."""
SENTENCE_CHARS = 8
"""A literal with so many Chinese characters is shown to people; a shorter one may be looked for."""
WRITTEN_BY_TOOLS = re.compile(r"/migrations/versions/")
LONG_LINES = 50
TOP_FOLDERS = 12

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function
Graph = Mapping[str, set[str]]


@dataclass(frozen=True)
class Source:
    """A Python file of the checkout.

    Attributes:
        path: Relative to the checkout, with slashes.
    """

    path: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def folder(self) -> str:
        """The folder, relative to the checkout."""
        return self.path.rpartition("/")[0]


def packages(root: Path) -> list[str]:
    """Return the product's packages, as import-linter is told them."""
    tools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    return list(tools["importlinter"]["root_packages"])


def sources(root: Path, folders: Iterable[str]) -> list[Source]:
    """Parse every Python file below these folders, except those that tools have written."""
    found = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    return [
        Source(path.relative_to(root).as_posix(), ast.parse(path.read_text()))
        for path in found
        if not WRITTEN_BY_TOOLS.search(path.as_posix())
    ]


# ---------------------------------------------------------------------- imports


def imports(files: Iterable[Source]) -> dict[str, set[str]]:
    """Return the modules that each module imports, among these files."""
    by_name = {file.module: file for file in files}
    return {
        name: {found for found in _imported(file, by_name) if found != name and found in by_name}
        for name, file in by_name.items()
    }


def _imported(file: Source, known: Collection[str]) -> Iterator[str]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def sibling_cycles(graph: Graph) -> list[list[str]]:
    """Return groups of siblings, at any depth, that import each other in a circle."""
    found = []
    parents = {name.rpartition(".")[0] for name in graph} - {""}
    ancestors = {".".join(one.split(".")[: depth + 1]) for one in parents for depth in range(9)}
    for ancestor in sorted(ancestors | {""}):
        found += cycles(_siblings(graph, ancestor))
    return found


def _siblings(graph: Graph, ancestor: str) -> dict[str, set[str]]:
    """Return the imports between the children of one folder, each child with all below it."""
    depth = len(ancestor.split(".")) + 1 if ancestor else 1
    prefix = f"{ancestor}." if ancestor else ""
    children: dict[str, set[str]] = {}
    for name, targets in graph.items():
        if name.startswith(prefix):
            child = ".".join(name.split(".")[:depth])
            below = {".".join(one.split(".")[:depth]) for one in targets if one.startswith(prefix)}
            children.setdefault(child, set()).update(below - {child})
    return children


def cycles(graph: Graph) -> list[list[str]]:
    """Return groups of nodes of which each reaches each other.

    >>> cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}})
    [['b', 'c']]
    """
    reached = {node: _reach(graph, node) for node in graph}
    groups = {
        tuple(sorted(other for other in reached[node] if node in reached.get(other, ())))
        for node in graph
    }
    return sorted(list(group) for group in groups if len(group) > 1)


def _reach(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


def folder_cycles(graph: Graph, files: Iterable[Source]) -> list[list[str]]:
    """Return groups of sibling cycles in which at least two folders take part."""
    folders = {file.folder.replace("/", ".") for file in files}
    return [group for group in sibling_cycles(graph) if sum(name in folders for name in group) > 1]


# ---------------------------------------------------------------------- inside files


def functions(files: Iterable[Source]) -> list[tuple[int, str]]:
    """Return the length in lines, and the place, of each function, longest first."""
    found = [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{file.path} {node.name}")
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, Function)
    ]
    return sorted(found, reverse=True)


def imports_inside(files: Iterable[Source]) -> list[str]:
    """Return the places of imports that stand inside functions."""
    return sorted(
        {
            f"{file.path}:{node.lineno}"
            for file in files
            for function in ast.walk(file.tree)
            if isinstance(function, Function)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
    )


def docstrings(files: Iterable[Source]) -> list[str]:
    """Return all docstrings of modules, classes and functions."""
    return [
        text
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, Documented) and (text := ast.get_docstring(node))
    ]


def with_chinese(files: Iterable[Source], chars: int = 1) -> list[str]:
    """Return the files with a string literal that holds so many Chinese characters."""
    return [
        file.path
        for file in files
        if any(len(CHINESE.findall(text)) >= chars for text in _literals(file.tree))
    ]


def _literals(tree: ast.Module) -> Iterator[str]:
    """Return the string literals; docstrings and texts that stand alone are none."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def calls(files: Iterable[Source]) -> Counter[str]:
    """Count calls such as ``asyncio.create_task``, by their text."""
    return Counter(
        ast.unparse(node.func)
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call)
    )


def for_one_in(files: Iterable[Source]) -> int:
    """Count the loops over things that have no better name than ``one``."""
    loops = ast.For | ast.AsyncFor | ast.comprehension
    return sum(
        isinstance(node, loops) and isinstance(node.target, ast.Name) and node.target.id == "one"
        for file in files
        for node in ast.walk(file.tree)
    )


# ---------------------------------------------------------------------- the table


def figures(files: list[Source]) -> dict[str, str]:
    """Return what is measured of these files, in words."""
    graph = imports(files)
    told = docstrings(files)
    questions = sum(QUESTION.match(text) is not None for text in told)
    lengths = functions(files)
    bare = [file for file in files if not CATALOGUE.search(file.path)]
    called = calls(files)
    ownerless = called["asyncio.create_task"] + called["asyncio.ensure_future"]
    return {
        "files": f"{len(files)}",
        "folder cycles, any depth": _several(folder_cycles(graph, files)),
        "module cycles": _several(cycles(graph)),
        "imports inside functions": f"{len(imports_inside(files))}",
        "function, median lines": f"{median(length for length, _ in lengths):g}",
        "function, longest": f"{lengths[0][0]} ({lengths[0][1]})",
        f"functions over {LONG_LINES} lines": f"{sum(long > LONG_LINES for long, _ in lengths)}",
        "docstrings that open with a question word": f"{questions} of {len(told)}",
        "files with Chinese outside catalogues": f"{len(with_chinese(bare))}",
        "files with Chinese sentences there": f"{len(with_chinese(bare, SENTENCE_CHARS))}",
        "asyncio.create_task, ensure_future": f"{ownerless}",
        "asyncio.TaskGroup": f"{called['asyncio.TaskGroup']}",
        "for one in": f"{for_one_in(files)}",
    }


def _several(found: list[list[str]]) -> str:
    told = "; ".join(" ↔ ".join(group[:4]) + " …" * (len(group) > 4) for group in found)  # noqa: PLR2004
    return f"{len(found)}" + f" ({told})" * bool(found)


def report(root: Path) -> str:
    """Return the table for a checkout."""
    product = sources(root, packages(root))
    lines = []
    for title, files in (("product", product), ("tests", sources(root, ["tests"]))):
        rows = figures(files)
        width = max(map(len, rows))
        lines += [title, *(f"  {name:{width}}  {value}" for name, value in rows.items())]
    counted = Counter(file.folder for file in product if not file.path.endswith("__init__.py"))
    lines += [f"files per folder: {len(counted)} folders, the fullest {TOP_FOLDERS}"]
    lines += [f"  {count:3}  {folder}" for folder, count in counted.most_common(TOP_FOLDERS)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
