"""What the platform pushes, as XML in the shape of its documentation."""

from __future__ import annotations

from collections.abc import Mapping

Fields = Mapping[str, str | int]


def document(fields: Fields) -> str:
    """Text in CDATA, numbers bare, nothing escaped otherwise: as the platform writes it."""
    lines = [_element(name, value) for name, value in fields.items()]
    return "\n".join(["<xml>", *lines, "</xml>"])


def _element(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    cdata = value.replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{cdata}]]></{name}>"


def text(content: str, menu_id: str | None = None) -> Fields:
    """A typed message, or a press on an entry of a message menu."""
    more = {} if menu_id is None else {"bizmsgmenuid": menu_id}
    return {"MsgType": "text", "Content": content, **more}


def image(media_id: str, url: str) -> Fields:
    """A picture; ``PicUrl`` needs no token."""
    return {"MsgType": "image", "PicUrl": url, "MediaId": media_id}


def voice(media_id: str, *, recognition: str = "") -> Fields:
    """A spoken message, and what the platform heard where the account has that switched on."""
    more = {"Recognition": recognition} if recognition else {}
    return {"MsgType": "voice", "Format": "amr", "MediaId": media_id, **more}


def video(media_id: str, thumb_media_id: str) -> Fields:
    """A video."""
    return {"MsgType": "video", "MediaId": media_id, "ThumbMediaId": thumb_media_id}


def file(name: str, size: int) -> Fields:
    """A document: it is told of, but there is no way to fetch it."""
    return {
        "MsgType": "file",
        "Title": name,
        "Description": "",
        "FileKey": "8e9d1c0f5a6b",
        "FileMd5": "0cc175b9c0f1b6a831c399e269772661",
        "FileTotalLen": size,
    }


def location(label: str) -> Fields:
    """A place."""
    return {
        "MsgType": "location",
        "Location_X": "23.134521",
        "Location_Y": "113.358803",
        "Scale": 20,
        "Label": label,
    }


def link(title: str, url: str) -> Fields:
    """A shared page."""
    return {"MsgType": "link", "Title": title, "Description": "", "Url": url}


def event(name: str, key: str | None = None, **more: str | int) -> Fields:
    """Something that happened."""
    keyed = {} if key is None else {"EventKey": key}
    return {"MsgType": "event", "Event": name, **keyed, **more}
