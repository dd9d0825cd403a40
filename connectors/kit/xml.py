"""XML that WeChat and WeCom push: nothing is parsed before its signature, and no more than needed.

A push is a flat document of a few dozen elements. Whatever is deeper, larger, or declares anything
(entities unfold to gigabytes, a DTD names files) is refused while it is read.

Source: 接收普通消息, 消息加解密说明 (November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

import xmltodict

from connectors.errors import BadWebhook

MAX_BYTES = 128 * 1024
"""Of a push. The longest text is some 2 kB; in compatible mode it comes twice, once as Base64."""
_MAX_DEPTH = 10
_MAX_ELEMENTS = 500
_MAX_SEALED = 8
_OPEN, _CLOSE = b"<Encrypt>", b"</Encrypt>"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{4,}={0,2}")


def sealed_texts(body: bytes) -> Sequence[str]:
    """Find the sealed part of a push without parsing: the signature tells which is.

    More than one only where a customer wrote one into the plain fields of compatible mode.

    Raises:
        BadWebhook: 400: there is none, or far too many.
    """
    # no pattern over the whole: it would try again at every blank of a body of blanks
    inner = (part.partition(_CLOSE) for part in body.split(_OPEN)[1:])
    bare = [_bare(text) for text, closed, _ in inner if closed]
    found = [text.decode() for text in bare if _BASE64.fullmatch(text)]
    if not 0 < len(found) <= _MAX_SEALED:
        raise BadWebhook(400, "not sealed")
    return found


def _bare(text: bytes) -> bytes:
    return text.strip().removeprefix(b"<![CDATA[").removesuffix(b"]]>").strip()


def check_xml(document: str) -> None:
    """Refuse what no push looks like.

    Raises:
        BadWebhook: 400: no XML, or too deep, too much, or with declarations.
    """
    parser = ParserCreate()
    depth = elements = 0

    def opened(_name: str, _attributes: object) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > _MAX_DEPTH or elements > _MAX_ELEMENTS:
            raise _Refused

    def closed(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def declared(*_about: object) -> None:
        raise _Refused

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.StartDoctypeDeclHandler = declared
    parser.EntityDeclHandler = declared
    parser.ProcessingInstructionHandler = declared
    try:
        parser.Parse(document.encode(), True)  # noqa: FBT003 - the library's signature
    except (ExpatError, ValueError, _Refused):
        raise BadWebhook(400, "not the XML that was expected") from None


def fields_of(document: str) -> dict[str, Any]:
    """The elements under ``<xml>``.

    Raises:
        BadWebhook: 400: it is no such document.
    """
    check_xml(document)
    try:
        root = xmltodict.parse(document)["xml"]
    except (ExpatError, ValueError, KeyError, TypeError):
        root = None
    if not isinstance(root, dict):
        raise BadWebhook(400, "not the XML that was expected")
    return root


class _Refused(Exception):
    """Parsing goes no further."""


__all__ = ["MAX_BYTES", "check_xml", "fields_of", "sealed_texts"]
