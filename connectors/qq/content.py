"""What a message carries beside its words: files, voice, cards. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.kit.payload import clean, words_in
from connectors.kit.standins import (
    FILE_NAMES,
    MAX_CHARS,
    card,
    standin,
)
from connectors.messages import MediaHandle

QUOTE = 103
"""``message_type`` of an answer to another message: ``msg_elements`` is what it answers."""
_KINDS = {2: "富文本消息", 3: "卡片", 4: "图文消息", 7: "富媒体消息"}
_CARDS = ("ark_data", "ark", "embed", "embeds", "markdown", "keyboard")
_CARD_WORDS = ("prompt", "title", "desc", "description", "content", "name", "label", "text")
_MAX_PROMPT = 200
_DEEPEST = 4
_MOST_ELEMENTS = 20


def media_of(d: Mapping[str, Any]) -> tuple[MediaHandle, ...]:
    """The files of a message that have an address."""
    return tuple(found for one in _attachments(d) if (found := _handle(one)) is not None)


def transcript_of(d: Mapping[str, Any]) -> str:
    """What QQ heard in a voice message; empty where it heard nothing."""
    heard = (one.get("asr_refer_text") for one in _attachments(d))
    return "\n".join(text.strip() for text in heard if isinstance(text, str) and text.strip())


def stand_in(d: Mapping[str, Any], depth: int = _DEEPEST) -> str | None:
    """Return the line for what is neither words nor a file that can be had.

    Returns:
        Its name and the words in it (a place, a mini app, a merged record, a picture without an
        address); ``None`` where a message holds nothing at all.
    """
    lines = [_card(d, name) for name in _CARDS if d.get(name)]
    lines += [_lost(one) for one in _attachments(d) if _handle(one) is None]
    kind = d.get("message_type")
    if kind != QUOTE and depth > 0:
        lines += _passed_on(d, depth)
    if not lines and isinstance(kind, int) and kind in _KINDS:
        lines = [standin(_KINDS[kind])]
    return " ".join(lines)[:MAX_CHARS] or None


def quoted_of(d: Mapping[str, Any]) -> str:
    """Return the message that this one answers; empty where it answers none."""
    elements = d.get("msg_elements")
    if d.get("message_type") != QUOTE or not isinstance(elements, list):
        return ""
    said = (_element_line(one) for one in elements[:1] if isinstance(one, dict))
    return " ".join(said)


def _card(d: Mapping[str, Any], name: str) -> str:
    found = d[name]
    prompt = found.get("prompt") if isinstance(found, dict) else None
    if isinstance(prompt, str):
        words = [one for one in words_in(found.get("fields"), _CARD_WORDS) if one not in prompt]
        return card("卡片", prompt[:_MAX_PROMPT], *words)
    return standin("按钮" if name == "keyboard" else "卡片", *words_in(found, _CARD_WORDS))


def _lost(attachment: Mapping[str, Any]) -> str:
    """A file without an address."""
    kind = _kind(str(attachment.get("content_type") or ""))
    name = attachment.get("filename") if kind == "file" else ""
    return standin(FILE_NAMES[kind], name or "")


def _passed_on(d: Mapping[str, Any], depth: int) -> list[str]:
    """Messages within a message: each one's words, or the line that stands for it."""
    elements = d.get("msg_elements")
    found = [one for one in elements if isinstance(one, dict)] if isinstance(elements, list) else []
    said = [_element_line(one, depth) for one in found[:_MOST_ELEMENTS]]
    return [standin("聊天记录", *said)] if found else []


def _element_line(element: Mapping[str, Any], depth: int = _DEEPEST) -> str:
    """Return one message within another as a line; empty where it holds nothing."""
    words = element.get("content")
    said = [words.strip()] if isinstance(words, str) and words.strip() else []
    said += [
        standin(FILE_NAMES[_kind(str(one.get("content_type") or ""))])
        for one in _attachments(element)
        if _handle(one) is not None
    ]
    rest = stand_in(element, depth - 1)
    return " ".join([*said, *([rest] if rest is not None else [])])


def _attachments(d: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = d.get("attachments")
    return (one for one in found if isinstance(one, dict)) if isinstance(found, list) else iter(())


def _handle(attachment: Mapping[str, Any]) -> MediaHandle | None:
    mime = clean(str(attachment.get("content_type") or ""))
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
        name=clean(name) if isinstance(name, str) else "",
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


__all__ = ["QUOTE", "media_of", "quoted_of", "stand_in", "transcript_of"]
