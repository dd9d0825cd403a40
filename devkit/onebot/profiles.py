"""How implementations of OneBot v11 differ.

Source: NapCatQQ, LLOneBot, Lagrange.OneBot and go-cqhttp, as their sources and logs show them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """One implementation.

    Attributes:
        role: ``X-Client-Role``; ``None`` sends none.
        is_array: Messages as arrays; else as CQ strings.
        failed: Retcode of a failed send.
        failed_text: What it says then.
        sends_empty_bearer: ``Authorization: Bearer `` even without a token.
        extras: Actions beyond the standard.
    """

    name: str
    agent: str
    role: str | None = "Universal"
    is_array: bool = True
    failed: int = 1200
    failed_text: str = "EventChecker Failed"
    sends_empty_bearer: bool = False
    extras: frozenset[str] = frozenset()


_HISTORY = frozenset({"get_friend_msg_history", "get_group_msg_history"})
_NAPCAT = _HISTORY | {"set_input_status", "get_recent_contact"}
PROFILES = {
    "napcat": Profile("napcat", "OneBot/11", sends_empty_bearer=True, extras=_NAPCAT),
    "llonebot": Profile("llonebot", "LLOneBot/4.0.0", extras=_HISTORY),
    "lagrange": Profile("lagrange", "Lagrange.OneBot", role=None, failed=100, failed_text="failed"),
    "gocq": Profile(
        "gocq", "CQHttp/4.15.0", is_array=False, failed=100, failed_text="SEND_MSG_API_ERROR"
    ),
}
