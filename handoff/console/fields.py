"""The kinds of fields and models that the API's own are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from connectors.kit.payload import clean

MAX_TEXT_CHARS = 4_000


def instant(at: datetime) -> str:
    """A moment as ISO 8601 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainSerializer(instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS), AfterValidator(clean)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[\x21-\x7e]{1,80}$")]
FileKind = Annotated[
    str, WithJsonSchema({"type": "string", "enum": ["image", "voice", "video", "file"]})
]
Seq = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Out(BaseModel):
    """Something the API says."""

    model_config = ConfigDict(frozen=True)


class In(BaseModel):
    """Something the API is told; an unknown field is a mistake and refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Query(BaseModel):
    """What stands behind the question mark; unknown names are ignored."""

    model_config = ConfigDict(frozen=True)
