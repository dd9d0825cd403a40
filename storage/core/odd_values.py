"""What no database of ours keeps is refused before it is sent there, on both in the same way.

PostgreSQL refuses NUL and halves of surrogate pairs, SQLite keeps the one and fails at the other;
numbers beyond 64 bits fail in the driver of one and on the server of the other. Text from outside
is cleaned where it enters; this is for what slips through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Engine, event

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
        _context: Any,
        executemany: bool,  # noqa: FBT001 - SQLAlchemy's signature
    ) -> None:
        for row in parameters if executemany else (parameters,):
            check(row.values() if isinstance(row, Mapping) else row or ())


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


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
