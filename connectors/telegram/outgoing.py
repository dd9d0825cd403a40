"""From a unit to the method that sends it. Pure.

Source: Telegram Bot API documentation, sendMessage and those after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiogram.methods import (
    SendDocument,
    SendMessage,
    SendPhoto,
    SendVideo,
    SendVoice,
    TelegramMethod,
)
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyParameters,
)

from connectors.messages import Attachment, Markup, Unit

_PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
_VOICES = frozenset({"audio/ogg", "audio/opus"})
_ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "audio/ogg": "ogg",
    "video/mp4": "mp4",
}
_SHORT_LABEL = 8
_ROOM_FOR_MENTION = 1900
"""Characters, each of them two units at most: with a few more it is below 4,096."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit goes.

    Attributes:
        reply_to: The message that is answered, in groups; ``None`` where it is not known.
        thread_id: The topic of a group that has topics.
        mention: Whom to address instead, where the message is not known.
    """

    chat_id: int
    reply_to: int | None = None
    thread_id: int | None = None
    mention: str | None = None

    def arguments(self) -> dict[str, Any]:
        """As the methods take them."""
        found: dict[str, Any] = {"chat_id": self.chat_id, "message_thread_id": self.thread_id}
        if self.reply_to is not None:
            # the message may be deleted meanwhile: then it is no reply, and still an answer
            found["reply_parameters"] = ReplyParameters(
                message_id=self.reply_to, allow_sending_without_reply=True
            )
        return found


def text(unit: Unit, place: Place) -> TelegramMethod[Any]:
    """The method for words and buttons."""
    is_html = unit.markup is Markup.HTML
    words = unit.text
    if place.mention is not None and is_html and len(words) < _ROOM_FOR_MENTION:
        words = f'<a href="tg://user?id={place.mention}">@您</a> {words}'
    return SendMessage(
        **place.arguments(),
        text=words,
        parse_mode="HTML" if is_html else None,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        reply_markup=_keyboard(unit.buttons),
    )


def file(
    unit: Unit, attachment: Attachment, content: bytes, place: Place, *, max_photo_bytes: int
) -> TelegramMethod[Any]:
    """The method for a file, as what the customer's app can show."""
    upload = BufferedInputFile(content, _file_name(attachment))
    about = place.arguments()
    if unit.text:
        about["caption"] = unit.text
        about["parse_mode"] = "HTML" if unit.markup is Markup.HTML else None
    if attachment.mime in _PHOTOS and len(content) <= max_photo_bytes:
        return SendPhoto(**about, photo=upload)
    if attachment.kind == "voice" and attachment.mime in _VOICES:
        return SendVoice(**about, voice=upload)
    if attachment.mime == "video/mp4":
        return SendVideo(**about, video=upload)
    return SendDocument(**about, document=upload)


def as_document(method: TelegramMethod[Any]) -> TelegramMethod[Any] | None:
    """The same file as a plain one; ``None`` where it is that already."""
    names = {"photo", "voice", "video"}
    found = next((getattr(method, name) for name in names if getattr(method, name, None)), None)
    if found is None:
        return None
    kept = ("chat_id", "message_thread_id", "reply_parameters", "caption", "parse_mode")
    about = {name: getattr(method, name) for name in kept}
    return SendDocument(**about, document=found)


def _keyboard(buttons: Sequence[tuple[str, str]]) -> InlineKeyboardMarkup | None:
    """Short labels stand two in a row."""
    if not buttons:
        return None
    drawn = [InlineKeyboardButton(text=label, callback_data=token) for token, label in buttons]
    in_row = 2 if all(len(label) <= _SHORT_LABEL for _, label in buttons) else 1
    rows = [drawn[start : start + in_row] for start in range(0, len(drawn), in_row)]
    return InlineKeyboardMarkup(inline_keyboard=rows)


def _file_name(attachment: Attachment) -> str:
    if attachment.name:
        return attachment.name
    ending = _ENDINGS.get(attachment.mime, "bin")
    return f"{attachment.kind}.{ending}"


__all__ = ["Place", "as_document", "file", "text"]
