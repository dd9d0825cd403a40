"""Messages as OneBot writes them: arrays of segments, or the older CQ strings.

What comes in may be either. What goes out is always an array: in a string a customer's
``[CQ:at,qq=all]`` would be a command.

Source: OneBot 11 standard, "消息格式", "字符串格式" and "数组格式".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_CODE = re.compile(r"\[CQ:([A-Za-z0-9_.-]+)((?:,[^\[\]]*)?)\]")
_ESCAPES = (("&#91;", "["), ("&#93;", "]"), ("&#44;", ","), ("&amp;", "&"))
_MAX_SEGMENTS = 500


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a message: ``text``, ``image``, ``at`` …; its data as texts.

    Attributes:
        more: What of its data is no text: the messages that are passed on, a card's object.
    """

    type: str
    data: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def get(self, *names: str) -> str:
        """The first of these that is there; ``""`` for none."""
        return next((self.data[name] for name in names if self.data.get(name)), "")


def read(message: object) -> tuple[Segment, ...]:
    """The segments of a message, in either form; what is no segment is left out.

    >>> read("你好[CQ:at,qq=10001]&#91;x&#93;")[1]
    Segment(type='at', data={'qq': '10001'})
    """
    if isinstance(message, str):
        return tuple(_from_string(message))
    if isinstance(message, Mapping):
        message = [message]
    if not isinstance(message, Sequence):
        return ()
    return tuple(
        _from_object(one)
        for one in message[:_MAX_SEGMENTS]
        if isinstance(one, Mapping) and one.get("type")
    )


def text(words: str) -> dict[str, Any]:
    """A text segment to send."""
    return {"type": "text", "data": {"text": words}}


def at(user_id: str) -> dict[str, Any]:
    """A mention to send."""
    return {"type": "at", "data": {"qq": user_id}}


def file(kind: str, content: str, name: str = "") -> dict[str, Any]:
    """A file to send: ``image``, ``record`` or ``video``; ``content`` is ``base64://…``."""
    named = {"name": name} if name else {}
    return {"type": kind, "data": {"file": content, **named}}


def unescape(words: str) -> str:
    """Text of a CQ string as it was typed.

    >>> unescape("&#91;CQ:at&#93; &amp;amp;")
    '[CQ:at] &amp;'
    """
    for written, meant in _ESCAPES:
        words = words.replace(written, meant)
    return words


def escape(words: str, *, is_parameter: bool = False) -> str:
    """Text as a CQ string writes it."""
    written = words.replace("&", "&amp;").replace("[", "&#91;").replace("]", "&#93;")
    return written.replace(",", "&#44;") if is_parameter else written


def _from_object(one: Mapping[str, Any]) -> Segment:
    data = one.get("data")
    if not isinstance(data, Mapping):
        # some write the data beside the type
        data = {name: value for name, value in one.items() if name != "type"}
    texts = _texts(data)
    more = {str(name): value for name, value in data.items() if str(name) not in texts}
    return Segment(str(one["type"]), texts, more)


def _from_string(message: str) -> Iterable[Segment]:
    end_of_last = 0
    for found in _CODE.finditer(message):
        if found.start() > end_of_last:
            yield Segment("text", {"text": unescape(message[end_of_last : found.start()])})
        pairs = (part.partition("=") for part in found[2].split(",") if "=" in part)
        yield Segment(found[1], {name: unescape(value) for name, _, value in pairs})
        end_of_last = found.end()
    if end_of_last < len(message):
        yield Segment("text", {"text": unescape(message[end_of_last:])})


def _texts(data: Mapping[Any, Any]) -> dict[str, str]:
    """The standard says texts; implementations send numbers as well."""
    return {
        str(name): str(value)
        for name, value in data.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }
