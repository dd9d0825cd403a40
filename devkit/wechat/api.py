"""The methods under ``/cgi-bin/``, each a plain function of what was sent."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devkit.platform import Clock, Shown
from devkit.wechat.people import Person
from devkit.wechat.rules import BODIES, Refused, Rules
from devkit.wechat.tokens import Tokens

Json = dict[str, Any]

_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u([0-9a-fA-F]{4})")
_LINK = re.compile(r"<a\b[^>]*>(.*?)</a>", re.DOTALL)
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def read_json(raw: bytes) -> Json:
    r"""A request's body; ``\uXXXX`` stays as it stands, which is how the platform reads it.

    Raises:
        Refused: 47001.
    """
    try:
        body = json.loads(_ESCAPED.sub(r"\1\\\\u\2", raw.decode()))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Refused(47001) from error
    if not isinstance(body, dict):
        raise Refused(47001)
    return body


@dataclass(frozen=True, slots=True)
class Media:
    """A temporary file."""

    media_id: str
    kind: str
    content: bytes
    name: str
    mime: str
    expires_at: datetime


class Api:
    """Answers by the rules.

    Attributes:
        people: By openid.
        media: Temporary files, by media id; kefu's uploads and what customers sent.
        menu: The account menu, as it was created last.
        is_verified: 已认证; else the customer-service and menu calls are refused with 48001.
    """

    def __init__(
        self, app_id: str, app_secret: str, clock: Clock, rules: Rules, changed: Callable[[], None]
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._clock = clock
        self._rules = rules
        self._changed = changed
        self.tokens = Tokens(clock, rules)
        self.people: dict[str, Person] = {}
        self.media: dict[str, Media] = {}
        self.menu: Json | None = None
        self.is_verified = True

    # ------------------------------------------------------------------ tokens

    def token(self, query: Mapping[str, str]) -> Json:
        """``GET cgi-bin/token``."""
        self._credentials(query.get("appid", ""), query.get("secret", ""), query.get("grant_type"))
        value, left = self.tokens.classic()
        return {"access_token": value, "expires_in": left}

    def stable_token(self, body: Json) -> Json:
        """``POST cgi-bin/stable_token``."""
        self._credentials(body.get("appid", ""), body.get("secret", ""), body.get("grant_type"))
        value, left = self.tokens.stable(force=body.get("force_refresh") is True)
        return {"access_token": value, "expires_in": left}

    def _credentials(self, app_id: str, secret: str, grant_type: object) -> None:
        if grant_type != "client_credential":
            raise Refused(40002)
        if app_id != self._app_id:
            raise Refused(40013)
        if secret != self._app_secret:
            raise Refused(40125)

    # ------------------------------------------------------------------ customer service

    def send(self, body: Json) -> Json:
        """``POST cgi-bin/message/custom/send``."""
        self._verified()
        person = self._person(body.get("touser"))
        shown = self._message(body)
        person.spend(self._clock())
        person.typing_until = None
        if shown.buttons:
            entries = [(str(entry["id"]), entry["content"]) for entry in body["msgmenu"]["list"]]
            person.menus.extend(entries)
        person.seen.append(shown)
        self._changed()
        return {"errcode": 0, "errmsg": "ok"}

    def typing(self, body: Json) -> Json:
        """``POST cgi-bin/message/custom/typing``."""
        self._verified()
        person = self._person(body.get("touser"))
        now = self._clock()
        match body.get("command"):
            case "Typing":
                last = person.last_message_at
                if last is None or now - last > self._rules.typing_after:
                    raise Refused(45080)
                if person.typing_until is not None and person.typing_until > now:
                    raise Refused(45081)
                person.typing_until = now + self._rules.typing_life
            case "CancelTyping":
                person.typing_until = None
            case _:
                raise Refused(45072)
        self._changed()
        return {"errcode": 0, "errmsg": "ok"}

    def _message(self, body: Json) -> Shown:
        kind = body.get("msgtype")
        part = body.get(kind) if isinstance(kind, str) else None
        if not isinstance(part, dict):
            raise Refused(40008)
        if kind == "text":
            return Shown(self.displayed(self.sized(part.get("content"))), raw=body)
        if kind == "msgmenu":
            return self._menu_message(part, body)
        if kind in {"image", "voice", "video"}:
            media = self.stored(part.get("media_id"))
            return Shown(kind=media.kind, content=media.content, raw=body)
        raise Refused(40008)

    def _menu_message(self, part: Json, body: Json) -> Shown:
        entries = part.get("list")
        if not isinstance(entries, list) or not entries:
            raise Refused(47001)
        labels = tuple(str(entry["content"]) for entry in entries)
        lines = [part.get("head_content", ""), *labels, part.get("tail_content", "")]
        self.sized("\n".join(lines))
        around = "\n".join(line for line in (lines[0], lines[-1]) if line)
        return Shown(self.displayed(around), buttons=labels, raw=body)

    def sized(self, content: object) -> str:
        """A text within its limits.

        Raises:
            Refused: 44004 or 45002.
        """
        if not isinstance(content, str) or not content.strip():
            raise Refused(44004)
        if len(content.encode()) > self._rules.max_text_bytes:
            raise Refused(45002)
        return content

    def displayed(self, content: str) -> str:
        """What a phone makes of it: links become their label, no other tag is known."""
        text = _LINK.sub(r"\1", content)
        if not self._rules.shows_entities:
            for entity, sign in _ENTITIES:
                text = text.replace(entity, sign)
        return text

    # ------------------------------------------------------------------ media

    def upload(self, kind: str, name: str, mime: str, content: bytes | None) -> Json:
        """``POST cgi-bin/media/upload``."""
        if kind not in BODIES:
            raise Refused(40004)
        if not content:
            raise Refused(41005)
        if len(content) > self._rules.media_bytes[kind]:
            raise Refused(45001)
        media = self.keep(kind, name, mime, content)
        return {"type": kind, "media_id": media.media_id, "created_at": self._now_s()}

    def keep(self, kind: str, name: str, mime: str, content: bytes) -> Media:
        """Store a file for three days."""
        expires_at = self._clock() + self._rules.media_life
        media = Media(secrets.token_urlsafe(48), kind, content, name, mime, expires_at)
        self.media[media.media_id] = media
        return media

    def stored(self, media_id: object) -> Media:
        """A file that is still here.

        Raises:
            Refused: 40007.
        """
        media = self.media.get(media_id) if isinstance(media_id, str) else None
        if media is None or media.expires_at <= self._clock():
            raise Refused(40007)
        return media

    # ------------------------------------------------------------------ people and menu

    def user_info(self, openid: str) -> Json:
        """``GET cgi-bin/user/info``; names and pictures are no longer told."""
        person = self._person(openid)
        if not person.follows:
            return {"subscribe": 0, "openid": openid, "tagid_list": []}
        since = person.followed_at or self._clock()
        return {
            "subscribe": 1,
            "openid": openid,
            "language": "zh_CN",
            "subscribe_time": int(since.timestamp()),
            "remark": "",
            "groupid": 0,
            "tagid_list": [],
            "subscribe_scene": "ADD_SCENE_SEARCH",
            "qr_scene": 0,
            "qr_scene_str": "",
        }

    def create_menu(self, body: Json) -> Json:
        """``POST cgi-bin/menu/create``: at most 3 entries, names of at most 16 bytes."""
        self._verified()
        buttons = body.get("button")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
            raise Refused(40016)
        if any(len(str(button.get("name", "")).encode()) > 16 for button in buttons):
            raise Refused(40018)
        self.menu = body
        return {"errcode": 0, "errmsg": "ok"}

    def _verified(self) -> None:
        if not self.is_verified:
            raise Refused(48001)

    def _person(self, openid: object) -> Person:
        person = self.people.get(openid) if isinstance(openid, str) else None
        if person is None:
            raise Refused(40003)
        return person

    def _now_s(self) -> int:
        return int(self._clock().timestamp())
