"""Refuse values that no database of ours keeps before they are sent, on both in the same way.

PostgreSQL refuses NUL and halves of surrogate pairs, SQLite keeps the one and fails at the other;
numbers beyond 64 bits fail in the driver of one and on the server of the other; text longer than
its column is refused by PostgreSQL, or loses its last blanks, and SQLite keeps it. Text from
outside is cleaned and cut where it enters; this is for what slips through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, String, event
from sqlalchemy.sql.compiler import SQLCompiler

from handoff.errors import Unstorable

_LARGEST = 2**63 - 1


def refuse_odd_values(engine: Engine) -> None:
    """Look at every value that is about to be bound to a statement of this engine.

    A unit with such a value ends with ``Unstorable``; those beside it do not notice.
    """

    @event.listens_for(engine, "before_cursor_execute")
    def _look(
        _connection: Any,
        _cursor: Any,
        _statement: str,
        parameters: Any,
        context: Any,
        executemany: bool,  # noqa: FBT001 - SQLAlchemy's signature
    ) -> None:
        for row in parameters if executemany else (parameters,):
            check(row.values() if isinstance(row, Mapping) else row or ())
        if context is not None and (context.isinsert or context.isupdate):
            check_lengths(_lengths_of(context.compiled), context.compiled_parameters)


def check(values: Iterable[object]) -> None:
    """Look at values.

    Raises:
        Unstorable: One cannot be stored; the text does not repeat it.
    """
    for value in values:
        if isinstance(value, str):
            if "\0" in value or not _is_whole(value):
                raise Unstorable("里面有存不了的字符，请去掉再试")
        elif isinstance(value, int) and not -_LARGEST - 1 <= value <= _LARGEST:
            raise Unstorable("数字太大，请检查再试")


def check_lengths(lengths: Mapping[str, int], rows: Iterable[Mapping[str, object]]) -> None:
    """Look at what is about to be written into columns of so many characters.

    Raises:
        Unstorable: A text is longer than its column; the text does not repeat it.
    """
    for row in rows:
        for name, most in lengths.items():
            value = row.get(name)
            if isinstance(value, str) and len(value) > most:
                raise Unstorable("有的内容太长，请改短再试")


_lengths: WeakKeyDictionary[SQLCompiler, Mapping[str, int]] = WeakKeyDictionary()


def _lengths_of(compiled: SQLCompiler) -> Mapping[str, int]:
    """Characters that each parameter's column takes; SQLAlchemy compiles a statement once."""
    found = _lengths.get(compiled)
    if found is None:
        found = {
            name: bind.type.length
            for name, bind in compiled.binds.items()
            if isinstance(bind.type, String) and bind.type.length
        }
        _lengths[compiled] = found
    return found


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
