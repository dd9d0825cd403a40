"""Structured logs: an event's name and fields, for people or for programs; never what was said."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

#: Fields that must never be logged, whatever they hold.
_FORBIDDEN = frozenset(
    {"text", "body", "password", "token", "secret", "contact", "proof", "cookie"}
)
_QUERY = re.compile(r"\?\S*")


def _without_secrets(
    _logger: object, _name: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The last line of defence: drop fields by name, and query strings, which carry tokens."""
    for name in _FORBIDDEN & fields.keys():
        fields[name] = "[not logged]"
    for name in ("path", "url"):
        if isinstance(fields.get(name), str):
            fields[name] = _QUERY.sub("", fields[name])
    return fields


class _Stderr:
    """Whatever ``sys.stderr`` is by now: loggers are kept, and it may be replaced after them."""

    def write(self, line: str) -> int:
        return sys.stderr.write(line)

    def flush(self) -> None:
        sys.stderr.flush()


def configure(level: str, log_format: str) -> None:
    """Set up logging for this process.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        log_format: ``text`` for people, ``json`` for programs.
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # locals of a frame may hold what a customer wrote
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    stderr = cast("TextIO", _Stderr())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            *([structlog.processors.format_exc_info] if log_format == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stderr),
        # not cached: a logger that spoke before this would keep speaking as it did then
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=stderr
    )
