"""A new entry of channels.yaml: what is filled in, what is made up, and what its owner still does.

Secrets never stand in the entry: it names variables, whose values go into ``.env``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from connectors.kit.account import Account
from connectors.kit.registry import account_model
from connectors.kit.secrets import MadeByUs, origin_of

_FIRST = "main"


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of an entry.

    Attributes:
        field: Its line in the entry.
        variable: What holds it in the environment.
        about: Where it comes from or goes to, for the admin.
        made: A new one; ``None`` for one that only the platform can issue.
    """

    field: str
    variable: str
    about: str
    made: str | None = dataclasses.field(repr=False)

    @property
    def line(self) -> str:
        """The entry's line."""
        return f"{self.field}: ${{{self.variable}}}"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be.

    Attributes:
        lines: Without indentation.
        asked: Fields that only the admin knows and has not said, with what they are.
    """

    model: type[Account]
    lines: tuple[str, ...]
    secrets: tuple[Secret, ...]
    asked: Mapping[str, str]

    def text(self, indent: int) -> str:
        """As an item of the list under ``channels:``."""
        first, *others = self.lines
        pad = " " * indent
        return "".join([f"{pad}- {first}\n", *(f"{pad}  {line}\n" for line in others)])


def new_entry(channel: str, account: str, given: Mapping[str, str]) -> NewEntry:
    """The entry of a new account.

    Args:
        given: What the admin has said, by field.
    """
    model = account_model(channel)
    secrets = secrets_of(model, account, model.to_fill(given))
    asked = {
        name: model.model_fields[name].description or ""
        for name in model.to_fill(given)
        if name not in {one.field for one in secrets}
    }
    lines = (
        f"channel: {channel}",
        f"account: {account}",
        *(_line(name, value) for name, value in given.items()),
        *(one.line for one in secrets),
    )
    return NewEntry(model, lines, secrets, asked)


def secrets_of(model: type[Account], account: str, names: Sequence[str]) -> tuple[Secret, ...]:
    """Those of these fields that are secrets, each with its variable and, if it is ours, made."""
    found = []
    for name in names:
        about = model.model_fields[name]
        origin = origin_of(about)
        if origin is None:
            continue
        made = origin.make() if isinstance(origin, MadeByUs) else None
        found.append(Secret(name, _variable(model, account, name), about.description or "", made))
    return tuple(found)


def _variable(model: type[Account], account: str, name: str) -> str:
    channel = str(model.model_fields["channel"].default)
    parts = [channel, *([account] if account != _FIRST else []), name]
    return "_".join(parts).replace("-", "_").upper()


def _line(name: str, value: str) -> str:
    written: str = yaml.safe_dump({name: value}, allow_unicode=True, width=10_000)
    return written.strip()


__all__ = ["NewEntry", "Secret", "new_entry", "secrets_of"]
