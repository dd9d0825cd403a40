"""From an update as the Bot API writes it to what happened, channel-neutral. Pure.

Source: Telegram Bot API documentation, Update.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.kit.payload import clean, decoded, decoded_base64url, id_of, present
from connectors.messages import (
    BUTTON_PREFIX,
    Address,
    ChannelRef,
    Inbound,
    InboundKind,
    PeerKind,
)
from connectors.telegram.content import content
from connectors.telegram.mentions import Mentions
from connectors.telegram.quotes import quoted

Json = Mapping[str, Any]

_MAX_NAME = 80
_START = "/start"
_TELEGRAM = 777000
"""Stands as the sender of a channel's posts in its group, although it says that it is no bot."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """Maps the updates of one bot.

    Attributes:
        username: The bot's; ``None`` until it is known.
    """

    ref: ChannelRef
    bot_id: int
    username: str | None = None

    def inbounds(self, update: Json, received_at: datetime) -> tuple[Inbound, ...]:
        """What an update says; empty for what is no business of ours, such as chatter in groups.

        Whatever is not understood comes as ``OTHER``: no update may keep back those behind it.
        """
        try:
            found = self._mapped(present(update), received_at)
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError):
            found = None
        if found is None:
            return (self.other(update, received_at),)
        return (found,) if isinstance(found, Inbound) else ()

    def other(self, update: Json, received_at: datetime) -> Inbound:
        """An update that is only kept."""
        raw = json.dumps(update, ensure_ascii=True).encode()
        address = Address(self.ref, peer_id="", user_id="")
        key = self._key(update)
        return Inbound(key, address, received_at, kind=InboundKind.OTHER, raw=raw)

    def _key(self, update: Json) -> str:
        # another bot may be put into the same account one day: its numbers start anywhere
        return f"{self.bot_id}:{update.get('update_id')}"

    def _mapped(self, update: Json, received_at: datetime) -> Inbound | bool | None:
        """What happened; ``False`` where it is not for us, ``None`` where it is not understood."""
        about: dict[str, Any] = {"dedup_key": self._key(update), "received_at": received_at}
        if "message" in update:
            return self._message(update["message"], about, is_edit=False)
        if "edited_message" in update:
            return self._message(update["edited_message"], about, is_edit=True)
        if "callback_query" in update:
            return self._press(update["callback_query"], about)
        if "my_chat_member" in update:
            return self._membership(update["my_chat_member"], about)
        return None

    # ------------------------------------------------------------------ messages

    def _message(
        self, message: Json, about: dict[str, Any], *, is_edit: bool
    ) -> Inbound | bool | None:
        """The message; ``False`` where it is not for us, ``None`` where it is no message."""
        chat, who = message["chat"], message.get("from")
        if who is None or chat["type"] == "channel":
            return None
        if not _is_person(message, who):
            return False
        mentions = Mentions(message, self.bot_id, self.username)
        if _is_group(chat) and not mentions.is_for_us:
            return False
        found = content(message)
        if found is None:
            return None
        text = found.text if found.is_unreadable else mentions.without_us(found.text)
        at = message.get("edit_date") if is_edit else message["date"]
        inbound = Inbound(
            **about,
            address=self._address(chat, who),
            text=text,
            is_unreadable=found.is_unreadable,
            quoted=quoted(message),
            media=found.media,
            album=_album(message),
            person_name=_name(who),
            locale=_locale(who),
            platform_time=datetime.fromtimestamp(at, UTC) if at else None,
        )
        if is_edit:
            # a place that moves is an edit too, and nothing that anybody wrote
            has_words = bool(text) and not found.is_unreadable
            reference = clean(str(message["message_id"]))
            edit = replace(inbound, kind=InboundKind.EDIT, media=(), reference=reference)
            return edit if has_words else False
        return _arrived(inbound)

    def _press(self, query: Json, about: dict[str, Any]) -> Inbound | None:
        message, data = query.get("message"), query.get("data")
        if message is None or not isinstance(data, str) or not data.startswith(BUTTON_PREFIX):
            return None
        return Inbound(
            **about,
            address=self._address(message["chat"], query["from"]),
            kind=InboundKind.BUTTON,
            text=clean(_label(message, data)),
            button_token=clean(data),
            person_name=_name(query["from"]),
            locale=_locale(query["from"]),
        )

    def _membership(self, change: Json, about: dict[str, Any]) -> Inbound | bool | None:
        """A block; who unblocks presses Start next, and that is their arrival."""
        if change["chat"]["type"] != "private":
            return None
        if change["new_chat_member"]["status"] != "kicked":
            return False
        return Inbound(
            **about,
            address=self._address(change["chat"], change["from"]),
            kind=InboundKind.DEPARTURE,
            detail="顾客停用了机器人，暂时发不出消息",
            platform_time=datetime.fromtimestamp(change["date"], UTC),
        )

    def _address(self, chat: Json, who: Json) -> Address:
        kind = PeerKind.GROUP if _is_group(chat) else PeerKind.PRIVATE
        peer_id, user_id = id_of(int(chat["id"])), id_of(int(who["id"]))
        if not peer_id or not user_id:
            raise ValueError("no id of anybody")
        return Address(self.ref, peer_id=peer_id, user_id=user_id, kind=kind)


def is_from_group(update: Json) -> bool:
    """Whether an update is a message in a group: only there one must know the bot's name."""
    message = update.get("message") or update.get("edited_message")
    chat = message.get("chat") if isinstance(message, dict) else None
    return isinstance(chat, dict) and _is_group(chat)


def pressed(update: Json) -> str | None:
    """The id of a press that wants an answer; ``None`` where there is none."""
    query = update.get("callback_query")
    found = query.get("id") if isinstance(query, dict) else None
    return found if isinstance(found, str) else None


def topic(update: Json) -> tuple[int, int | None] | None:
    """What a reply in a group must name: the message, and the topic it stands in."""
    message = update.get("message")
    if not isinstance(message, dict) or not isinstance(message.get("message_id"), int):
        return None
    thread = message.get("message_thread_id") if message.get("is_topic_message") else None
    return message["message_id"], thread


def _is_group(chat: Json) -> bool:
    return chat.get("type") in {"group", "supergroup"}


def _is_person(message: Json, who: Json) -> bool:
    """Tell whether somebody wrote it, and not a bot, a channel, or Telegram for one of both.

    What a person picked from an inline bot (``via_bot``) is that person's message.
    """
    is_of_chat = "sender_chat" in message or "is_automatic_forward" in message
    return not (who.get("is_bot") or is_of_chat or who.get("id") == _TELEGRAM)


def _arrived(inbound: Inbound) -> Inbound:
    command, _, payload = inbound.text.partition(" ")
    if command != _START:
        return inbound
    text = decoded_base64url(decoded(payload.strip()))
    return replace(inbound, kind=InboundKind.ARRIVAL, text=text)


def _name(who: Json) -> str | None:
    name = f"{who.get('first_name') or ''} {who.get('last_name') or ''}".strip()
    printable = "".join(char for char in name if char.isprintable())
    return printable.encode("utf-8", "replace").decode()[:_MAX_NAME] or None


def _locale(who: Json) -> str | None:
    """Chinese where the app is; an app in English says little about who writes here."""
    return "zh" if str(who.get("language_code") or "").startswith("zh") else None


def _album(message: Json) -> str | None:
    album = message.get("media_group_id")
    return clean(str(album))[:_MAX_NAME] if album is not None else None


def _label(message: Json, data: str) -> str:
    rows = (message.get("reply_markup") or {}).get("inline_keyboard") or []
    found = (str(one["text"]) for row in rows for one in row if one.get("callback_data") == data)
    return next(found, "")


__all__ = ["Mapper", "is_from_group", "pressed", "topic"]
