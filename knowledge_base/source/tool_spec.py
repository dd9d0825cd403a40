"""What kb.yaml may know of a tool: its name, what it asks for, what it can say."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the writer of kb.yaml sees it. Whoever implements tools hands these in.

    Attributes:
        name: As written after ``tool:``.
        slots: What it needs to know, in the order in which it asks.
        variables: Dotted names for answers (``order.summary``) → explanation in Chinese.
        outcomes: How a call can end (``not_found``) → explanation in Chinese.
    """

    name: str
    slots: tuple[str, ...]
    variables: Mapping[str, str]
    outcomes: Mapping[str, str]
