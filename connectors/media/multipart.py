"""One file out of a form, read and taken apart within bounds.

A form may hold as many parts and headers as fit into its bytes: 100,000 tiny parts kept aiohttp's
reader, which works a line at a time on the event loop, for 7.5 s. So the body is read whole up to a
limit and searched by ``bytes.find``, and a form of more parts than any page of ours sends is none.

Source: RFC 7578 (forms), RFC 2046 section 5.1 (boundaries).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web

from connectors.media.store import BadFile

MAX_PARTS = 8
MAX_HEADER_BYTES = 4096
"""Of one part."""
FORM_BYTES = 16 * 1024
"""What a form may hold beside the file: boundaries, headers, small fields."""
READ_S = 120.0
"""As long as the page waits for an upload."""
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_DISPOSITION = re.compile(
    rb"^content-disposition:[ \t]*form-data(.*)$", re.IGNORECASE | re.MULTILINE
)
_NAME = re.compile(rb';[ \t]*name="?([^";\r\n]{0,200})"?', re.IGNORECASE)
_FILENAME = re.compile(rb';[ \t]*filename="([^"\r\n]{0,1000})"', re.IGNORECASE)
_BLANK_LINE = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file as a form carries it.

    Attributes:
        name: As the sender called it; may be empty, and is never a path.
    """

    name: str
    content: bytes = field(repr=False)


async def read_form_file(request: web.Request, max_bytes: int) -> FormFile | None:
    """The field ``file`` of a posted form; ``None`` where there is no such file.

    Args:
        max_bytes: Of the file. Little more than that is read.

    Raises:
        BadFile: ``too_large``, or ``too_slow`` to come.
    """
    boundary = _BOUNDARY.search(request.headers.get("Content-Type", ""))
    if not request.content_type.startswith("multipart/") or boundary is None:
        return None
    most = max_bytes + FORM_BYTES
    if (request.content_length or 0) > most:
        raise BadFile("too_large")
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > most:
                    raise BadFile("too_large")
    except TimeoutError:
        raise BadFile("too_slow") from None
    found = file_in(bytes(body), (boundary[1] or boundary[2]).encode())
    if found is not None and len(found.content) > max_bytes:
        raise BadFile("too_large")
    return found


def file_in(body: bytes, boundary: bytes) -> FormFile | None:
    r"""The field ``file`` of a form; ``None`` where it has none among its first eight parts.

    >>> head = b'Content-Disposition: form-data; name="file"; filename="a.png"'
    >>> file_in(b"--x\r\n" + head + b"\r\n\r\nPNG\r\n--x--\r\n", b"x")
    FormFile(name='a.png')
    """
    opening, delimiter = b"--" + boundary, b"\r\n--" + boundary
    at = 0 if body.startswith(opening) else body.find(delimiter) + len(b"\r\n")
    if at == 1:  # nowhere
        return None
    for _ in range(MAX_PARTS):
        start = at + len(opening)
        if body.startswith(b"--", start):
            return None
        head_end = body.find(_BLANK_LINE, start, start + MAX_HEADER_BYTES)
        if head_end < 0:
            return None
        content = head_end + len(_BLANK_LINE)
        end = body.find(delimiter, content)
        if end < 0:
            return None
        name = _file_name(body[start:head_end])
        if name is not None:
            return FormFile(name, body[content:end])
        at = end + len(b"\r\n")
    return None


def _file_name(head: bytes) -> str | None:
    """The sender's name of the file, possibly empty; ``None`` for another field."""
    disposition = _DISPOSITION.search(head.replace(b"\r\n", b"\n"))
    if disposition is None:
        return None
    field_name = _NAME.search(disposition[1])
    file_name = _FILENAME.search(disposition[1])
    if field_name is None or field_name[1] != b"file":
        return None
    if file_name is None:
        return ""
    return unquote(file_name[1].decode(errors="replace"), errors="replace")


__all__ = ["FormFile", "file_in", "read_form_file"]
