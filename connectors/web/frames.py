"""The frames of the web chat: what a page may send, and what it gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from connectors.messages import Attachment, Outbound

MAX_TEXT_CHARS = 4000
# no control characters: PostgreSQL refuses NUL
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]


class _Frame(BaseModel):
    # unknown fields are skipped: an older server must understand a newer page
    model_config = ConfigDict(extra="ignore", strict=True)


class MessageFrame(_Frame):
    """A text, or a picture that was uploaded before."""

    type: Literal["msg"]
    client_id: Id
    text: str = ""
    attachment_id: Id | None = None


class PressFrame(_Frame):
    """A button under an earlier message was pressed."""

    type: Literal["press"]
    client_id: Id
    msg_id: Id
    button: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")]


class CsatFrame(_Frame):
    """How satisfied the customer is: 1 (bad) to 5 (good)."""

    type: Literal["csat"]
    client_id: Id
    score: Annotated[int, Field(ge=1, le=5)]
    comment: str = ""


class TypingFrame(_Frame):
    """The customer is typing."""

    type: Literal["typing"]


class HistoryFrame(_Frame):
    """The page asks for what was said before ``before``."""

    type: Literal["history"]
    before: Annotated[int, Field(ge=1)]


class PingFrame(_Frame):
    """Is somebody there."""

    type: Literal["ping"]


Frame = MessageFrame | PressFrame | CsatFrame | TypingFrame | HistoryFrame | PingFrame
_FRAME: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def parse(raw: str | bytes) -> Frame | None:
    """The frame, or ``None`` if it is none of ours."""
    try:
        return _FRAME.validate_json(raw)
    except ValidationError:
        return None


def to_json(frame: dict[str, Any]) -> str:
    """A frame as it goes over the wire."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def message_frame(line: Outbound, media_url: Callable[[Attachment], str]) -> dict[str, Any]:
    """A line of the transcript as the page shows it."""
    frame: dict[str, Any] = {
        "type": "msg",
        "seq": line.seq,
        "id": line.message_id,
        "author": line.author,
        "text": line.text,
        "at": line.at.isoformat().replace("+00:00", "Z"),
        "kind": "csat" if line.kind == "csat" else "text",
    }
    if line.author_name:
        frame["name"] = line.author_name
    if line.client_id:
        frame["client_id"] = line.client_id
    if line.buttons:
        frame["buttons"] = [{"id": one.id, "label": one.label} for one in line.buttons]
    if line.verify is not None:
        frame["verify"] = {"id": line.verify.id, "label": line.verify.label}
    if line.attachments:
        frame["attachments"] = [
            attachment_json(attachment, media_url(attachment)) for attachment in line.attachments
        ]
    return frame


def attachment_json(attachment: Attachment, url: str) -> dict[str, Any]:
    """A file as pages show it."""
    return {
        "id": attachment.id,
        "kind": attachment.kind,
        "url": url,
        "name": attachment.name,
        "mime": attachment.mime,
        "size": attachment.size,
        "width": attachment.width,
        "height": attachment.height,
    }
