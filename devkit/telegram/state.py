"""What the platform knows, in plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devkit.platform import Shown

Json = dict[str, Any]

BOT_ID = 110201543
TOKEN = f"{BOT_ID}:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
BOT = {
    "id": BOT_ID,
    "is_bot": True,
    "first_name": "星辰点卡客服",
    "username": "star_card_bot",
}
_FIRST_USER = 987654321
_FIRST_GROUP = -1001700000000


@dataclass(slots=True)
class Chat:
    """A private chat or a group.

    Attributes:
        is_started: The customer has pressed Start, or written.
        is_left: The bot was removed, or the customer has blocked it.
        migrated_to: The group's new id, once it was upgraded.
        sent: Messages of the bot, by id, in order.
    """

    id: int
    name: str
    is_group: bool = False
    is_started: bool = False
    is_left: bool = False
    migrated_to: int | None = None
    sent: dict[int, Sent] = field(default_factory=dict)


@dataclass(slots=True)
class Sent:
    """A message of the bot: as the API answers it, and as a customer sees it."""

    message: Json
    shown: Shown


@dataclass(slots=True)
class StoredFile:
    """A file that the platform keeps; ``links`` are its addresses and when they were given."""

    file_id: str
    content: bytes
    size: int
    links: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Query:
    """A pressed button that waits for its answer."""

    id: str
    at: datetime
    answers: list[str] = field(default_factory=list)


class State:
    """Of one bot.

    Attributes:
        deactivated: Accounts that no longer exist.
        typing: (chat id, action, when), oldest first.
    """

    def __init__(self) -> None:
        self.chats: dict[int, Chat] = {}
        self.users: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.deactivated: set[int] = set()
        self.files: dict[str, StoredFile] = {}
        self.queries: dict[str, Query] = {}
        self.typing: list[tuple[int, str, datetime]] = []
        self._number = 0
        self.last_message_id = 1000

    def number(self) -> int:
        """Never the same twice."""
        self._number += 1
        return self._number

    def message_id(self) -> int:
        """The next message's."""
        self.last_message_id += 1
        return self.last_message_id

    def user_id(self, user: str) -> int:
        """How the platform calls a customer."""
        if user.isdecimal():
            return int(user)
        return self.users.setdefault(user, _FIRST_USER + len(self.users))

    def private(self, user: str) -> Chat:
        """A customer's chat with the bot; made if need be."""
        user_id = self.user_id(user)
        return self.chats.setdefault(user_id, Chat(user_id, user))

    def group(self, group: str) -> Chat:
        """A group that the bot is in; made if need be."""
        group_id = self.groups.setdefault(group, _FIRST_GROUP - len(self.groups))
        return self.chats.setdefault(group_id, Chat(group_id, group, is_group=True))

    def store(self, content: bytes) -> StoredFile:
        """Keep a file."""
        file_id = f"BQACAgUAAxkBAAIB{self.number():06d}"
        stored = StoredFile(file_id, content, len(content))
        self.files[file_id] = stored
        return stored
