"""What the bot may ask of the platform: messages, files, recall, tokens."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from devkit.platform import Shown
from devkit.qq import rules
from devkit.qq.events import rfc3339
from devkit.qq.rules import GROUPS, USERS, Refusal
from devkit.qq.state import (
    Anchor,
    File,
    Peer,
    Sent,
    State,
)

Json = dict[str, Any]


@dataclass(slots=True)
class Permissions:
    """What the bot was granted, and what the platform's review does not let through.

    Attributes:
        url_hosts: Hosts that messages may name (消息URL配置).
        max_chars: The platform's limit is not published.
        audited: Words that send a message to a review by people.
        replies: How often one message may be answered, by scope.
    """

    markdown: bool = True
    keyboard: bool = False
    active_push: bool = False
    url_hosts: set[str] = field(default_factory=set)
    sensitive: set[str] = field(default_factory=set)
    audited: set[str] = field(default_factory=set)
    max_chars: int = 2000
    replies: dict[str, int] = field(default_factory=lambda: dict(rules.REPLIES))


class QQApi:
    """Does what is asked, or raises ``Refusal``."""

    def __init__(
        self,
        state: State,
        may: Permissions,
        clock: Callable[[], datetime],
        app_id: str,
        secret: str,
    ) -> None:
        self._state = state
        self._may = may
        self._clock = clock
        self._app_id, self._secret = app_id, secret

    # ------------------------------------------------------------------ tokens

    def token(self, body: Mapping[str, Any]) -> Json:
        """The same token until a minute before its end; then a new one, and both are valid."""
        if body.get("appId") != self._app_id:
            return {"code": rules.TOKEN_BAD_APPID, "message": "appid invalid"}
        if body.get("clientSecret") != self._secret:
            return {"code": rules.TOKEN_BAD_SECRET, "message": "invalid appid or secret"}
        now, tokens = self._clock(), self._state.tokens
        lasting = [one for one, ends in tokens.items() if ends - now > rules.TOKEN_OVERLAP]
        if not lasting:
            lasting = [f"ACCESS_TOKEN_{self._state.number():04d}" + "x" * 24]
            tokens[lasting[0]] = now + rules.TOKEN_LIFE
        left_s = int((tokens[lasting[-1]] - now).total_seconds())
        return {"access_token": lasting[-1], "expires_in": str(left_s)}

    def check_access(self, headers: Mapping[str, str]) -> None:
        """The token is there and valid.

        Raises:
            Refusal: It is not.
        """
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme != "QQBot" or not token:
            raise Refusal(rules.NO_TOKEN, 401)
        ends = self._state.tokens.get(token)
        if ends is None or self._clock() >= ends:
            raise Refusal(rules.BAD_TOKEN, 500)  # so bots have met it, for all its name
        if headers.get("X-Union-Appid", self._app_id) != self._app_id:
            raise Refusal(rules.BAD_APPID, 401)

    # ------------------------------------------------------------------ messages

    def send(self, peer: Peer, body: Json) -> tuple[int, Json]:
        """HTTP status and body of an answer to a send."""
        self._check_reachable(peer)
        text = rules.check_content(body, markdown=self._may.markdown, keyboard=self._may.keyboard)
        file = self._file_of(peer, body)
        self._check_text(text)
        anchor = self._anchor(peer, body)
        sent = self._sent(peer, body, text, file)
        if anchor is not None:
            anchor.seqs.add(int(body.get("msg_seq", 1)))
        if any(word in text for word in self._may.audited):
            audit_id = self._state.new_uuid()
            self._state.audits[audit_id] = sent
            data = {"message_audit": {"audit_id": audit_id}}
            return 202, {**rules.error_body(rules.REPLY_AUDITED), "data": data}
        self._state.sent.append(sent)
        index = {"ref_idx": f"REFIDX_{sent.id[-12:]}=="}
        return 200, {"id": sent.id, "timestamp": rfc3339(sent.at), "ext_info": index}

    def _check_reachable(self, peer: Peer) -> None:
        if peer[0] == USERS and peer[1] in self._state.strangers:
            raise Refusal(rules.NOT_A_FRIEND)
        if peer[0] == GROUPS and peer[1] in self._state.left_groups:
            raise Refusal(rules.NOT_A_MEMBER)

    def _check_text(self, text: str) -> None:
        if len(text) > self._may.max_chars:
            raise Refusal(rules.TOO_LONG)
        if any(host not in self._may.url_hosts for host in rules.hosts(text)):
            raise Refusal(rules.BAD_URL)
        if any(word in text for word in self._may.sensitive):
            raise Refusal(rules.SENSITIVE)

    def _anchor(self, peer: Peer, body: Mapping[str, Any]) -> Anchor | None:
        """What is answered; ``None`` for a message out of the blue.

        Raises:
            Refusal: It may not be answered, no longer, or not once more.
        """
        message_id, event_id = body.get("msg_id"), body.get("event_id")
        if message_id is None and event_id is None:
            if not self._may.active_push or peer[1] in self._state.refusers:
                raise Refusal(rules.NO_ACTIVE_PUSH)
            return None
        if message_id is not None:
            anchor = self._state.anchors.get(str(message_id))
            unknown, expired = rules.BAD_MSG_ID, rules.MSG_ID_EXPIRED
            is_known = anchor is not None and anchor.kind.endswith("MESSAGE_CREATE")
        else:
            anchor = self._state.anchors.get(str(event_id))
            unknown, expired = rules.BAD_EVENT_ID, rules.EVENT_ID_EXPIRED
            is_known = anchor is not None and not anchor.kind.endswith("MESSAGE_CREATE")
        if anchor is None or not is_known or anchor.peer != peer:
            raise Refusal(unknown)
        if message_id is None and anchor.kind not in rules.ANSWERABLE[peer[0]]:
            raise Refusal(rules.EVENT_HAS_NO_REPLY)
        if self._clock() - anchor.at >= rules.WINDOW[peer[0]]:
            raise Refusal(expired)
        if int(body.get("msg_seq", 1)) in anchor.seqs:
            raise Refusal(rules.DUPLICATE)
        if len(anchor.seqs) >= self._may.replies[peer[0]]:
            raise Refusal(rules.TOO_MANY_REPLIES)
        return anchor

    def _sent(self, peer: Peer, body: Json, text: str, file: File | None) -> Sent:
        shown, mentioned = rules.displayed(text, is_markdown=body.get("msg_type") == 2)
        rows = (body.get("keyboard") or {}).get("content", {}).get("rows", [])
        labels = tuple(one["render_data"]["label"] for row in rows for one in row["buttons"])
        return Sent(
            id=self._state.new_id(),
            peer=peer,
            at=self._clock(),
            body=body,
            shown=Shown(
                shown,
                kind=rules.FILE_KINDS[file.kind] if file else "text",
                buttons=labels,
                content=file.content if file else None,
                raw={**body, "mentioned": mentioned},
            ),
        )

    # ------------------------------------------------------------------ files

    def _file_of(self, peer: Peer, body: Mapping[str, Any]) -> File | None:
        if body.get("msg_type") != 7:
            return None
        file = self._state.files.get(str((body.get("media") or {}).get("file_info")))
        if file is None or file.scope != peer[0] or self._clock() - file.at > rules.FILE_TTL:
            raise Refusal(rules.BAD_FILE_INFO)
        if not body.get("content"):  # the documentation asks for a blank there
            raise Refusal(rules.MISMATCH)
        return file

    async def upload(self, peer: Peer, body: Mapping[str, Any]) -> Json:
        """Keep a file for messages of the same scope."""
        self._check_reachable(peer)
        kind = int(body.get("file_type", 0))
        if kind not in rules.FILE_KINDS:
            raise Refusal(rules.BAD_FILE_FORMAT)
        if body.get("srv_send_msg"):
            raise Refusal(rules.NO_ACTIVE_PUSH)
        content = await self._content(body)
        if len(content) > rules.SOFT_BYTES[kind]:
            raise Refusal(rules.FILE_TOO_LARGE)
        if not rules.is_format(content, kind):
            raise Refusal(rules.BAD_FILE_FORMAT)
        name = str(body.get("file_name", ""))
        file_info = f"FILEINFO{self._state.number():06d}"
        file = File(peer[0], kind, content, name, "", self._clock())
        self._state.files[file_info] = file
        ttl = int(rules.FILE_TTL.total_seconds())
        return {"file_uuid": self._state.new_uuid(), "file_info": file_info, "ttl": ttl}

    async def _content(self, body: Mapping[str, Any]) -> bytes:
        if "file_data" in body:
            try:
                return base64.b64decode(str(body["file_data"]), validate=True)
            except binascii.Error as error:
                raise Refusal(rules.BAD_FILE_FORMAT) from error
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=5)) as session,
                session.get(str(body.get("url", ""))) as answer,
            ):
                if answer.status == 200:
                    return await answer.read()
        except (ClientError, TimeoutError, ValueError) as error:
            raise Refusal(rules.FILE_NOT_FETCHED) from error
        raise Refusal(rules.FILE_NOT_FETCHED)

    # ------------------------------------------------------------------ the rest

    def recall(self, peer: Peer, message_id: str) -> None:
        """Take a message of the bot's back."""
        sent = next((one for one in self._state.sent if one.id == message_id), None)
        if sent is None or sent.peer != peer:
            raise Refusal(rules.BAD_RECALL_ID)
        if self._clock() - sent.at > rules.RECALL_WITHIN:
            raise Refusal(rules.RECALL_TOO_LATE)
        sent.is_recalled = True

    def acknowledge(self, interaction_id: str, body: Mapping[str, Any]) -> None:
        """Stop the wheel that turns on a pressed button."""
        code = body.get("code")
        if interaction_id not in self._state.acknowledged or not isinstance(code, int):
            raise Refusal(rules.BAD_INTERACTION, 404)
        self._state.acknowledged[interaction_id] = code
