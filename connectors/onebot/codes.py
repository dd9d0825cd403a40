"""What a failed action means, by its retcode.

Source: OneBot 11 standard, "HTTP 通信" (14xx mirror HTTP); NapCatQQ answers 1200 for any failure
over WebSocket; go-cqhttp answers 100 with a name in ``msg``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import AuthError, Rejected, Retryable, SendError

_REFUSED = frozenset({1400, 1404, 10003, 10004})
_AUTH = frozenset({1401, 1403})
_LATE = ("timeout", "timed out", "超时")


def failure(answer: Mapping[str, Any]) -> SendError:
    """The error behind an answer whose ``status`` is ``failed``; holds its code, never its words.

    There is no code for "blocked", "muted" or "no friend": a plain failure may be tried once more.
    NapCat's time-outs may have been delivered all the same.
    """
    code = answer.get("retcode")
    number = code if isinstance(code, int) else 0
    words = " ".join(str(answer.get(name, "")) for name in ("message", "wording", "msg")).lower()
    if number in _AUTH:
        return AuthError(str(number), "the OneBot side refuses our token")
    if number in _REFUSED:
        return Rejected(str(number), "the OneBot side does not take this")
    is_late = any(word in words for word in _LATE)
    return Retryable(str(number), "the OneBot side failed", maybe_sent=is_late)
