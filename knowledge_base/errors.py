"""Errors of knowledge_base.

    KnowledgeBaseFailure
    ├── KnowledgeBaseError    kb.yaml or a file it includes is wrong: tell the admin, keep the old
    ├── CasesError            a file of labelled utterances is wrong: tell whoever named it
    └── FitFailed             the fitting process broke: try once more, then tell the operator

Trying again never helps against the first two: only an edit does.
"""

from collections.abc import Sequence
from pathlib import Path

from knowledge_base.problem import Problem


class KnowledgeBaseFailure(Exception):
    """Base of every error that this folder raises."""


class KnowledgeBaseError(KnowledgeBaseFailure):
    """kb.yaml cannot be used. ``str()`` has one line per problem.

    Attributes:
        problems: At least one, in the order of the files and lines.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CasesError(KnowledgeBaseFailure):
    """A CSV of labelled utterances cannot be read; says where and what to do."""

    def __init__(self, path: Path, line: int, text: str) -> None:
        self.path = path
        self.line = line
        super().__init__(f"{path}:{line}: {text}")


class FitFailed(KnowledgeBaseFailure):
    """The process that fits the classifier ended badly; carries the end of what it wrote."""
