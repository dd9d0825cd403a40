"""From the app's frames to channel-neutral messages. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.app.frames import FileIn, MessageIn
from connectors.kit.payload import clean
from connectors.messages import Address, ChannelRef, Inbound, InboundKind, MediaHandle

_KINDS = {
    "message": InboundKind.MESSAGE,
    "button": InboundKind.BUTTON,
    "start": InboundKind.ARRIVAL,
    "leave": InboundKind.DEPARTURE,
}
_LANGUAGES = ("zh", "en")
_MAX_NAME, _MAX_FILE_NAME, _MAX_MIME = 80, 120, 80


def inbound(ref: ChannelRef, frame: MessageIn, now: datetime) -> Inbound:
    """What the app told."""
    user = frame.user
    button = clean(frame.button or "") if frame.type == "button" else None
    return Inbound(
        # an app may number each customer's messages from 1; neither id has a space in it
        dedup_key=f"{user.id} {frame.id}",
        address=Address(ref, user.id, user.id),
        received_at=now,
        kind=_KINDS[frame.type],
        text="" if button is not None else _clean(frame.text),
        media=tuple(_media(file) for file in frame.attachments),
        button_token=button,
        locale=_language(user.locale),
        person_name=_clean(user.name or "")[:_MAX_NAME] or None,
        contacts=tuple(clean(contact) for contact in user.contacts),
        platform_time=_utc(frame.at),
        detail="顾客离开了 App" if frame.type == "leave" else None,
    )


def _clean(text: str) -> str:
    return clean(text).strip()


def _language(locale: str | None) -> str | None:
    """The language of ``zh-CN``, ``en_US`` and the like; ``None`` where we do not speak it.

    >>> [_language(locale) for locale in ("zh-Hans-CN", "EN_us", "fr", None)]
    ['zh', 'en', None, None]
    """
    language = (locale or "").replace("_", "-").partition("-")[0].lower()
    return language if language in _LANGUAGES else None


def _media(file: FileIn) -> MediaHandle:
    name, mime = _clean(file.name)[:_MAX_FILE_NAME], _clean(file.mime)[:_MAX_MIME]
    if file.data_base64 is not None:
        data = file.data_base64
        size = len(data) * 3 // 4 - data.count("=")
        return MediaHandle(file.kind, {"data": data}, name, mime, size)
    return MediaHandle(file.kind, {"url": file.url or ""}, name, mime, file.size)


def _utc(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the last day of the year 9999, west of Greenwich
        return None
