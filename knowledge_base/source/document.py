"""A YAML file as plain data that remembers its line numbers.

PyYAML's C parser composes nodes with marks; we turn them into dicts, lists and *texts*. Every
scalar stays as it was written, so a phrase ``no``, ``on``, ``12:30`` or ``2026-10-01`` is not
turned into a boolean, a number of seconds or a date behind the admin's back.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.problem import Place, Problem

# Paths into a document: ("intents", "card_invalid", "ask", 3).
DocumentPath = tuple[str | int, ...]
_MAX_BYTES = 20_000_000
_MAX_NODES = 500_000  # aliases can multiply a small file into an endless one
_MAX_DEPTH = 30
_OURS = re.compile(
    r"^\ufeff?(shop|include|intents|synonyms|out_of_scope|not_ours|background|policy|thresholds)"
    r"\s*[:：]",
    re.MULTILINE,
)
"""What one line at least of a knowledge base begins with."""
_HOW_IT_LOOKS = "知识库里要有 shop: 或 intents:，看看路径写对了没有"
_FULL_WIDTH_COLON = re.compile(r"\s*[\w-]+：")
_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its data and where each part of it stands.

    Attributes:
        file: As the admin named it.
        data: Dicts, lists, texts and ``None``.
        lines: Path → line, from 1. For an entry of a mapping: the line of its key.
        blocks: Paths of texts that start on the line after their key (``|`` and ``>``).
        sha256: Of the text, hexadecimal.
    """

    file: Path
    data: Any
    lines: Mapping[DocumentPath, int]
    blocks: frozenset[DocumentPath]
    sha256: str

    def place(self, path: DocumentPath) -> Place:
        """The line of a path, or of the nearest thing above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return Place(self.file, self.lines.get(path, 1))

    def place_in_text(self, path: DocumentPath, line: int) -> Place:
        """A line within a text of several lines, counted from 0."""
        while path and path not in self.lines:
            path = path[:-1]
        return Place(self.file, self.lines.get(path, 1) + line + (path in self.blocks))


def read_document(file: Path) -> Document:
    """Read one YAML file.

    Raises:
        KnowledgeBaseError: The file is missing, unreadable, not UTF-8, above 20 MB, or no YAML.
    """
    try:
        if file.exists() and not file.is_file():
            # a pipe or a device may never end
            raise _one_problem(file, 1, "不是文件 (no file)", "这里要写 kb.yaml 的路径")
        if file.stat().st_size > _MAX_BYTES:
            raise _one_problem(file, 1, "文件太大 (larger than 20 MB)", "拆小一点 (split it)")
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _one_problem(file, line, "不是 UTF-8 编码 (not UTF-8)", "另存为 UTF-8") from error
    except OSError as error:
        raise _one_problem(file, 1, f"读不了 ({error.strerror})", "检查路径和权限") from error
    return parse_document(text, file)


def parse_document(text: str, file: Path) -> Document:
    """Parse text that is already in memory; ``file`` is what problems will name."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        if isinstance(error, yaml.MarkedYAMLError) and _OURS.search(text):
            raise _syntax_problem(error, text, file) from error
        # some other file was named: what stands in it is nobody's business, and goes into no log
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise _one_problem(file, line, "不是知识库，也不是 YAML (no YAML)", _HOW_IT_LOOKS) from None
    reader = _Reader(file)
    data = None if root is None else reader.read(root, ())
    if reader.problems:
        raise KnowledgeBaseError(reader.problems)
    return Document(
        file=file,
        data=data,
        lines=reader.lines,
        blocks=frozenset(reader.blocks),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


class _Reader:
    """Walks a tree of nodes once."""

    def __init__(self, file: Path) -> None:
        self.lines: dict[DocumentPath, int] = {}
        self.blocks: set[DocumentPath] = set()
        self.problems: list[Problem] = []
        self._file = file
        self._nodes = 0

    def read(self, node: yaml.Node, path: DocumentPath) -> Any:
        """Data of a node; notes the lines of everything in it."""
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self._nodes += 1
        if len(path) > _MAX_DEPTH or self._nodes > _MAX_NODES:
            hint = "去掉 & 和 * 引用 (remove YAML aliases)"
            raise _one_problem(self._file, line, "嵌套太深或太多 (too deep or too many)", hint)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, n)) for n, item in enumerate(node.value)]
        style = node.style if isinstance(node, yaml.ScalarNode) else None
        if style in ("|", ">"):
            self.blocks.add(path)
        return None if style is None and node.value in _NULLS else str(node.value)

    def _mapping(self, node: yaml.MappingNode, path: DocumentPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value)
            if key in found:
                first = self.lines[*path, key]
                text = f"“{key}” 写了两次，第一次在第 {first} 行 (duplicate key)"
                self.problems.append(Problem(self._file, line, text, "删掉或合并其中一个"))
                continue
            self.lines[*path, key] = line
            found[key] = self.read(value_node, (*path, key))
        return found


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: Path) -> KnowledgeBaseError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    # The parser often notices one line late; an empty line tells the reader nothing.
    while line > 1 and (line > len(lines) or not lines[line - 1].strip()):
        line -= 1
    # 「title：打招呼」 is a text to YAML, so it stumbles over the next line only.
    if line > 1 and _FULL_WIDTH_COLON.match(lines[line - 2]):
        line -= 1
    offending = lines[line - 1].strip()[:80] if lines else ""
    what = error.problem or "syntax error"
    hint = "检查缩进、冒号后的空格和引号 (check indentation, the space after “:”, quotes)"
    if "\t" in (lines[line - 1] if lines else ""):
        hint = "缩进要用空格，不能用 Tab (indent with spaces, not tabs)"
    elif "：" in offending:
        hint = "用英文冒号加空格 “: ”，不是中文 “：”"
    return _one_problem(file, line, f"YAML 写法有误 ({what}): {offending!r}", hint)


def _one_problem(file: Path, line: int, text: str, hint: str) -> KnowledgeBaseError:
    return KnowledgeBaseError([Problem(file, line, text, hint)])
