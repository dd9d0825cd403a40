"""What was said while nobody was connected: asked for after a reconnect, from who wrote lately.

OneBot delivers nothing twice: an event during a disconnect is told to nobody. NapCat keeps a
history that can be asked for; what it holds that was stored before is a repeat like any other.

Source: NapCatQQ, ``get_friend_msg_history``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import SendError
from connectors.onebot.link import Link

RECENT = timedelta(minutes=30)
MAX_PEERS = 50
COUNT = 20
_NO_ACTION = 1404


class Backfill:
    """Remembers who wrote lately, and asks what else they said."""

    def __init__(self, self_id: str) -> None:
        self._self_id = self_id
        self._heard: OrderedDict[str, datetime] = OrderedDict()
        self._is_possible = True

    def heard(self, event: Mapping[str, Any], at: datetime) -> None:
        """Somebody wrote in private."""
        user_id = str(event.get("user_id", ""))
        if event.get("post_type") != "message" or event.get("message_type") != "private":
            return
        if user_id and user_id != self._self_id:
            self._heard[user_id] = at
            self._heard.move_to_end(user_id)
            while len(self._heard) > MAX_PEERS:
                self._heard.popitem(last=False)

    async def missed(self, link: Link, since: datetime, now: datetime) -> Sequence[dict[str, Any]]:
        """Messages of these people since then, oldest first; empty where nobody can tell."""
        found: list[dict[str, Any]] = []
        for user_id, at in list(self._heard.items()):
            if not self._is_possible or now - at > RECENT:
                continue
            try:
                answer = await link.call("get_friend_msg_history", user_id=user_id, count=COUNT)
            except SendError:
                return found
            self._is_possible = answer.get("retcode") != _NO_ACTION
            found += [one for one in _messages(answer) if _time(one) >= since.timestamp() - 1]
        return sorted(found, key=_time)


def _messages(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = answer.get("data")
    messages = data.get("messages") if isinstance(data, Mapping) else None
    if not isinstance(messages, list):
        return []
    return [{"post_type": "message", **one} for one in messages if isinstance(one, dict)]


def _time(event: Mapping[str, Any]) -> int:
    time = event.get("time")
    return time if isinstance(time, int) else 0
