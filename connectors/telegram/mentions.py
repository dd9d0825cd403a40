"""Whether a message in a group speaks to us, and what it says without our name. Pure.

Source: Telegram Bot API documentation, MessageEntity: places are counted in UTF-16 units.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

_GAP = re.compile(" {2,}")


class Mentions:
    """Of the bot, in one message."""

    def __init__(self, message: Json, bot_id: int, username: str | None) -> None:
        self._message = message
        self._bot_id = bot_id
        self._name = f"@{username}".casefold() if username else None
        words = message.get("text") or message.get("caption") or ""
        self._units = words.encode("utf-16-le", "surrogatepass")
        entities = message.get("entities") or message.get("caption_entities") or ()
        self._entities: Sequence[Json] = entities

    @property
    def is_for_us(self) -> bool:
        """Whether it names the bot, answers it, or is a command to it."""
        replied = self._message.get("reply_to_message") or {}
        if (replied.get("from") or {}).get("id") == self._bot_id:
            return True
        return any(self._our_part(one) is not None for one in self._entities)

    def without_us(self, text: str) -> str:
        """The words without the bot's name; text that describes something else stays as it is."""
        parts = [part for one in self._entities if (part := self._our_part(one)) is not None]
        if not parts:
            return text
        units = self._units
        for start, end in sorted(parts, reverse=True):
            units = units[: 2 * start] + units[2 * end :]
        words = units.decode("utf-16-le", "replace").replace("\0", "")
        return _GAP.sub(" ", words).strip()

    def _our_part(self, entity: Json) -> tuple[int, int] | None:
        """Where the bot is named, from and to; ``None`` where somebody else is."""
        start = int(entity["offset"])
        end = start + int(entity["length"])
        said = self._units[2 * start : 2 * end].decode("utf-16-le", "replace").casefold()
        match entity["type"]:
            case "text_mention" if entity["user"]["id"] == self._bot_id:
                return start, end
            case "mention" if said == self._name:
                return start, end
            case "bot_command" if self._name is not None and said.endswith(self._name):
                # the command itself stays
                return end - len(self._name), end
        return None


__all__ = ["Mentions"]
