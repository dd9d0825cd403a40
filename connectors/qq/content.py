"""What a message carries beside its words: files, voice, cards. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.messages import MediaHandle

_CARD = 3
_MAX_PROMPT = 200


def media_of(d: Mapping[str, Any]) -> tuple[MediaHandle, ...]:
    """The files of a message that have an address."""
    return tuple(found for one in _attachments(d) if (found := _handle(one)) is not None)


def transcript_of(d: Mapping[str, Any]) -> str:
    """What QQ heard in a voice message; empty where it heard nothing."""
    heard = (one.get("asr_refer_text") for one in _attachments(d))
    return "\n".join(text.strip() for text in heard if isinstance(text, str) and text.strip())


def has_only_card(d: Mapping[str, Any]) -> str | None:
    """What a card (a place, a mini app) says of itself; ``None`` where there is none."""
    ark = d.get("ark_data")
    if not isinstance(ark, dict):
        return "[卡片]" if d.get("message_type") == _CARD else None
    prompt = ark.get("prompt")
    said = prompt.strip()[:_MAX_PROMPT] if isinstance(prompt, str) else ""
    return said if said.startswith("[") else f"[卡片] {said}".strip()


def _attachments(d: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = d.get("attachments")
    return (one for one in found if isinstance(one, dict)) if isinstance(found, list) else iter(())


def _handle(attachment: Mapping[str, Any]) -> MediaHandle | None:
    mime = str(attachment.get("content_type") or "")
    kind = _kind(mime)
    url = attachment.get("url")
    wave = attachment.get("voice_wav_url")
    if kind == "voice" and isinstance(wave, str) and wave:
        url, mime = wave, "audio/wav"  # browsers do not play QQ's own form
    if not isinstance(url, str) or not url:
        return None
    size = attachment.get("size")
    name = attachment.get("filename")
    return MediaHandle(
        kind=kind,
        handle={"url": _whole(url)},
        name=name if isinstance(name, str) else "",
        mime=mime if "/" in mime else "",
        size=size if isinstance(size, int) and size > 0 else None,
    )


def _kind(mime: str) -> str:
    family = mime.partition("/")[0]
    return {"image": "image", "voice": "voice", "audio": "voice", "video": "video"}.get(
        family, "file"
    )


def _whole(url: str) -> str:
    """An address with its scheme, which QQ sometimes leaves out."""
    if "://" in url.partition("?")[0]:
        return url
    return "https://" + url.removeprefix("//")


__all__ = ["has_only_card", "media_of", "transcript_of"]
