"""What was said while nobody was connected: asked for after a reconnect and after a start.

OneBot delivers nothing twice: an event during a disconnect is told to nobody. NapCat tells who was
talked to lately and keeps a history that can be asked for; what it holds that was stored before is
a repeat like any other. An implementation that knows no recent contacts is asked about those who
wrote to this process.

Source: NapCatQQ, ``get_recent_contact`` (``chatType`` 1 is a private chat, ``msgTime`` seconds as a
string) and ``get_friend_msg_history``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cachetools import LRUCache

from connectors.errors import SendError
from connectors.onebot.link import Link

LONGEST = timedelta(hours=12)
"""Older questions are history: whoever asked has found another way, or asks again."""
MAX_PEERS = 50
COUNT = 20
_PRIVATE = 1


class Backfill:
    """Asks what else was said, and by whom."""

    def __init__(self, self_id: str) -> None:
        self._self_id = self_id
        self._heard: LRUCache[str, None] = LRUCache(MAX_PEERS)

    def heard(self, event: Mapping[str, Any]) -> None:
        """Somebody wrote in private."""
        user_id = str(event.get("user_id", ""))
        if event.get("post_type") != "message" or event.get("message_type") != "private":
            return
        if user_id and user_id != self._self_id:
            self._heard[user_id] = None

    async def missed(self, link: Link, since: datetime, now: datetime) -> Sequence[dict[str, Any]]:
        """Private messages since then, oldest first; empty where nobody can tell."""
        since = max(since, now - LONGEST)
        found: list[dict[str, Any]] = []
        try:
            for user_id in await self._peers(link, since):
                answer = await link.ask("get_friend_msg_history", user_id=user_id, count=COUNT)
                if answer is None:
                    break
                found += [
                    one for one in _messages(answer) if _seconds(one, "time") >= _start(since)
                ]
        except SendError:
            pass  # it went away again: the next connection asks anew
        return sorted(found, key=lambda one: _seconds(one, "time"))

    async def _peers(self, link: Link, since: datetime) -> Sequence[str]:
        """Who may have written since then."""
        answer = await link.ask("get_recent_contact", count=MAX_PEERS)
        if answer is None:
            return list(self._heard)
        return [
            str(one.get("peerUin", ""))
            for one in _contacts(answer)
            if one.get("chatType") == _PRIVATE and _seconds(one, "msgTime") >= _start(since)
        ]


def _start(since: datetime) -> float:
    # the platform counts whole seconds
    return since.timestamp() - 1


def _contacts(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = answer.get("data")
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _messages(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = answer.get("data")
    messages = data.get("messages") if isinstance(data, Mapping) else None
    if not isinstance(messages, list):
        return []
    return [{"post_type": "message", **one} for one in messages if isinstance(one, dict)]


def _seconds(one: Mapping[str, Any], name: str) -> int:
    try:
        return int(one.get(name, 0))
    except (TypeError, ValueError):
        return 0
