"""A QQ account and its friends, behind a OneBot v11 implementation.

Nothing is delivered again: what is said while no connection is open is kept for the history action
and told to nobody. Besides the common faults an action may meet: ``async`` (taken, fate unknown),
``late`` (answered when the next action is), ``wrong_echo``, ``silent`` (done, never answered),
``timeout`` (done, and answered with a failure that says time-out), ``noisy`` (an event comes
between the action and its answer).
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from connectors.onebot import segments
from devkit.onebot.profiles import PROFILES, Profile
from devkit.onebot.wire import Wires
from devkit.platform import (
    Clock,
    FakePlatform,
    Fault,
    Shown,
)

SELF_ID = "2854196310"
TOKEN = "onebot-test-token"
GROUP_BASE = 700_000_000
USER_BASE = 10_000_000
_KINDS = {"image": "image", "record": "voice", "video": "video", "file": "file"}


class FakeOneBot(FakePlatform):
    """One account.

    Attributes:
        history: Everything that was said to the account, connected or not.
        requests: Friend requests by flag: whether kefu accepted.
        blocked: Who no longer takes messages.
        gives: What actions tell of a file, by their name (``_gives``); others do not exist.
    """

    channel = "onebot"
    is_by_socket = True

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        profile: str = "napcat",
        mode: str = "reverse",
        token: str = TOKEN,
        self_id: str = SELF_ID,
    ) -> None:
        super().__init__(clock)
        self.profile: Profile = PROFILES[profile]
        self.mode = mode
        self.token = token
        self.self_id = self_id
        self.history: list[dict[str, Any]] = []
        self.requests: dict[str, bool] = {}
        self.blocked: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.gives: dict[str, str] = {}
        self._shown: dict[tuple[str, str | None], list[Shown]] = {}
        self._users: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self._numbers = itertools.count(100_001)
        self._late: list[dict[str, Any]] = []
        self.wires = Wires(
            self.profile, self_id, token, on_frame=self._action, on_open=self._opened
        )

    # ------------------------------------------------------------------ the server

    def application(self) -> web.Application:
        """Pictures by address; in forward mode the socket that kefu dials."""
        application = web.Application()
        application.router.add_get("/file/{key}", self._file)
        application.router.add_get("/", self._forward)
        return application

    async def stop(self) -> None:
        """Hang up."""
        await self.wires.close()
        await super().stop()

    async def _file(self, request: web.Request) -> web.Response:
        content = self.files.get(request.match_info["key"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = given or request.query.get("access_token", "")
        if self.token and given != self.token:
            return web.Response(status=403 if given else 401)
        wire = web.WebSocketResponse()
        await wire.prepare(request)
        await self.wires.serve(wire)
        return wire

    def account(self, name: str = "main") -> dict[str, Any]:
        """This account as an entry of channels.yaml."""
        entry: dict[str, Any] = {
            "channel": "onebot",
            "account": name,
            "self_id": self.self_id,
            "mode": self.mode,
            "private_media": self.hosts,
            "action_timeout_s": 2.0,
        }
        if self.token:
            entry["access_token"] = self.token
        if self.mode == "forward":
            entry["url"] = self.url.replace("http", "ws", 1) + "/"
        return entry

    async def connect(self, kefu_url: str, name: str = "main") -> None:  # noqa: ARG002 - the path is the same
        """Dial kefu, or wait until kefu has dialled."""
        if self.mode == "reverse":
            await self.wires.dial(kefu_url.replace("http", "ws", 1) + "/onebot/v11/ws")
        else:
            await self.until(lambda: self.wires.wire is not None)

    async def _opened(self) -> None:
        lifecycle = {"meta_event_type": "lifecycle", "sub_type": "connect"}
        await self.wires.push(self._event("meta_event", **lifecycle))
        self.changed()

    async def connected(self) -> None:
        """Wait until a connection is open again."""
        await self.until(lambda: self.wires.wire is not None)

    async def beats(self, *, online: bool = True, interval_ms: int = 30_000) -> None:
        """One heartbeat."""
        await self.wires.push(
            self._event(
                "meta_event",
                meta_event_type="heartbeat",
                status={"online": online, "good": online},
                interval=interval_ms,
            )
        )

    # ------------------------------------------------------------------ the customer's side

    def number(self, user: str) -> int:
        """A user's QQ number."""
        return self._users.setdefault(user, USER_BASE + len(self._users))

    def group_number(self, group: str) -> int:
        """A group's number."""
        return self._groups.setdefault(group, GROUP_BASE + len(self._groups))

    async def says(
        self,
        user: str,
        text: str,
        *,
        group: str | None = None,
        mentions: bool = True,
        times: int = 1,
    ) -> str:
        """A friend writes; ``times`` is how often the implementation reports it."""
        parts: list[dict[str, Any]] = []
        if group is not None and mentions:
            parts += [segments.at(self.self_id), segments.text(" ")]
        parts.append(segments.text(text))
        return await self._tells(user, parts, group=group, times=times)

    async def sends_media(
        self, user: str, kind: str, content: bytes, *, name: str = "", mime: str = ""
    ) -> str:
        """A friend sends a file; it lies under an address that can expire."""
        assert mime is not None
        key = f"f{next(self._numbers)}"
        self.files[key] = content
        written = {"image": "image", "voice": "record", "video": "video"}.get(kind, "file")
        data = {"file": name or f"{key}.bin", "file_id": key, "url": f"{self.url}/file/{key}"}
        data["file_size"] = str(len(content))
        return await self._tells(user, [{"type": written, "data": data}])

    async def arrives(self, user: str, payload: str = "") -> str:
        """A new friend."""
        assert payload is not None
        self.blocked.discard(user)
        event = self._event("notice", notice_type="friend_add", user_id=self.number(user))
        await self.wires.push(event)
        return f"friend_add:{event['user_id']}"

    async def leaves(self, user: str) -> str:
        """Deletes us; OneBot tells nobody."""
        self.blocked.add(user)
        return ""

    async def replays(self, key: str) -> None:
        """A second connector reports the same event once more."""
        for event in self.history:
            if str(event.get("message_id")) == key:
                await self.wires.push(event)

    async def native_reply(self, user: str, text: str) -> None:
        """The account's owner answers from a phone."""
        number = next(self._numbers)
        self._show(user, None, Shown(text))
        await self.wires.push(
            self._event(
                "message_sent",
                message_type="private",
                user_id=int(self.self_id),
                target_id=self.number(user),
                message_id=number,
                message=[segments.text(text)],
            )
        )

    async def asks_to_be_friends(self, user: str) -> str:
        """A friend request."""
        flag = f"flag{next(self._numbers)}"
        self.requests[flag] = False
        await self.wires.push(
            self._event(
                "request",
                request_type="friend",
                user_id=self.number(user),
                comment="买过东西",
                flag=flag,
            )
        )
        return flag

    def shown(self, user: str, *, group: str | None = None) -> list[Shown]:
        """What this friend (or the group) sees of us."""
        return list(self._shown.get(("", group) if group is not None else (user, None), ()))

    async def _tells(
        self,
        user: str,
        parts: Sequence[Mapping[str, Any]],
        *,
        group: str | None = None,
        times: int = 1,
    ) -> str:
        number = next(self._numbers)
        message: object = list(parts) if self.profile.is_array else _cq(parts)
        event = self._event(
            "message",
            message_type="group" if group is not None else "private",
            sub_type="normal" if group is not None else "friend",
            message_id=number,
            user_id=self.number(user),
            message=message,
            raw_message=_cq(parts),
            sender={"user_id": self.number(user), "nickname": user},
            **({"group_id": self.group_number(group)} if group is not None else {}),
        )
        self.history.append(event)
        for _ in range(times):
            await self.wires.push(event)
        return str(number)

    def _event(self, post_type: str, **fields: Any) -> dict[str, Any]:
        return {
            "time": int(self.clock().timestamp()),
            "self_id": int(self.self_id),
            "post_type": post_type,
            **fields,
        }

    # ------------------------------------------------------------------ actions

    async def _action(self, frame: Mapping[str, Any]) -> None:
        action, params = str(frame.get("action")), dict(frame.get("params") or {})
        self.record(action, params)
        echo = frame.get("echo")
        late, self._late = self._late, []
        for answer in late:
            await self.wires.push(answer)
        fault = self.fault_of(action, params)
        if fault is None:
            await self._answers(echo, self._does(action, params))
        else:
            await self._misbehaves(fault, action, params, echo)
        self.changed()

    async def _answers(self, echo: object, answer: Mapping[str, Any]) -> None:
        await self.wires.push({**answer, "echo": echo})

    async def _misbehaves(  # noqa: PLR0912 - a branch is a fault
        self, fault: Fault, action: str, params: Mapping[str, Any], echo: object
    ) -> None:
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.seconds)
                await self._answers(echo, self._does(action, params))
            case "hang":
                return
            case "drop_before":
                await self.wires.cut()
            case "drop_after":
                self._does(action, params)
                await self.wires.cut()
            case "silent":
                self._does(action, params)
            case "late":
                self._late.append({**self._does(action, params), "echo": echo})
            case "wrong_echo":
                await self._answers("somebody-else", self._does(action, params))
            case "garbage":
                written = json.dumps({**self._does(action, params), "echo": echo})
                await self.wires.push(written[: len(written) // 2])
            case "async":
                self._does(action, params)
                await self._answers(echo, {"status": "async", "retcode": 1, "data": None})
            case "timeout":
                self._does(action, params)
                await self._answers(echo, self._failed(1200, "Error: Timeout: NTEvent"))
            case "noisy":
                answer = self._does(action, params)
                await self.says("旁人", "插一句")
                await self._answers(echo, answer)
            case "error":
                await self._answers(echo, self._failed(fault.code, "failed"))
            case _:
                await self._answers(
                    echo, self._failed(self.profile.failed, self.profile.failed_text)
                )

    def _does(  # noqa: PLR0911, PLR0912 - a branch is an action
        self, action: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Carry an action out; its answer."""
        match action:
            case "send_private_msg" | "send_msg" if "group_id" not in params or "user_id" in params:
                return self._takes(self._user_of(params.get("user_id")), None, params)
            case "send_group_msg" | "send_msg":
                return self._takes("", self._group_of(params.get("group_id")), params)
            case "upload_private_file":
                file = {"type": "file", "data": dict(params)}
                user = self._user_of(params.get("user_id"))
                return self._takes(user, None, {"message": [file]})
            case "upload_group_file":
                file = {"type": "file", "data": dict(params)}
                group = self._group_of(params.get("group_id"))
                return self._takes("", group, {"message": [file]})
            case "set_friend_add_request":
                self.requests[str(params.get("flag"))] = bool(params.get("approve"))
                return self._ok(None)
            case "get_login_info":
                return self._ok({"user_id": int(self.self_id), "nickname": "星辰点卡"})
            case "get_status":
                return self._ok({"online": True, "good": True})
            case "get_version_info":
                return self._ok({"app_name": self.profile.name, "protocol_version": "v11"})
            case "get_record":
                content = self.files.get(str(params.get("file")))
                if content is None or self.profile.name != "napcat":
                    return self._failed(self.profile.failed, "no such file")
                return self._ok({"base64": base64.b64encode(content).decode()})
            case "get_file" | "get_image" | "get_private_file_url" | "get_group_file_url" if (
                action in self.gives
            ):
                key = str(params.get("file_id") or params.get("file"))
                return self._gives(key, self.gives[action])
            case "get_msg":
                number = str(params.get("message_id"))
                told = [one for one in self.history if str(one["message_id"]) == number]
                return self._ok(told[0]) if told else self._failed(self.profile.failed, "gone")
            case "delete_msg" | "get_stranger_info":
                return self._ok({})
            case "get_recent_contact" if action in self.profile.extras:
                return self._ok(self._contacts(int(params.get("count", 10))))
            case extra if extra in self.profile.extras:
                return self._ok({"messages": self._said_by(params)} if "history" in extra else None)
            case _:
                return self._failed(1404, "不支持的 API")

    def _gives(self, key: str, how: str) -> dict[str, Any]:
        """A file's whereabouts: ``url``, ``base64``, ``inline`` (in ``file``) or ``path``."""
        content = self.files.get(key)
        if content is None:
            return self._failed(self.profile.failed, "no such file")
        encoded = base64.b64encode(content).decode()
        on_disk = {"file": f"/app/.cache/{key}", "url": f"/app/.cache/{key}"}
        answers = {
            "url": {**on_disk, "url": f"{self.url}/file/{key}"},
            "base64": {**on_disk, "base64": encoded},
            "inline": {"file": f"base64://{encoded}"},
            "path": on_disk,
        }
        return self._ok(answers[how])

    def _said_by(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        user_id = str(params.get("user_id", ""))
        return [one for one in self.history if str(one["user_id"]) == user_id]

    def _contacts(self, count: int) -> list[dict[str, Any]]:
        latest = {str(one["user_id"]): one for one in self.history if "group_id" not in one}
        found = [
            {
                "lastestMsg": one,
                "peerUin": user_id,
                "remark": "",
                "msgTime": str(one["time"]),
                "chatType": 1,
                "msgId": str(one["message_id"]),
                "sendNickName": "",
                "sendMemberName": "",
                "peerName": one["sender"]["nickname"],
            }
            for user_id, one in latest.items()
        ]
        return sorted(found, key=lambda one: str(one["msgTime"]), reverse=True)[:count]

    def _takes(self, user: str, group: str | None, params: Mapping[str, Any]) -> dict[str, Any]:
        message = params.get("message")
        if not isinstance(message, list) or not message:
            return self._failed(1400, "message must be an array here: a string is an injection")
        if user in self.blocked:
            return self._failed(self.profile.failed, "不是好友")
        if group is None and not user:
            return self._failed(self.profile.failed, "no such user")
        for shown in _read(message):
            self._show(user, group, shown)
        return self._ok({"message_id": next(self._numbers)})

    def _show(self, user: str, group: str | None, shown: Shown) -> None:
        key = ("", group) if group is not None else (user, None)
        self._shown.setdefault(key, []).append(shown)
        self.changed()

    def _user_of(self, number: object) -> str:
        return next((name for name, one in self._users.items() if one == number), "")

    def _group_of(self, number: object) -> str:
        return next((name for name, one in self._groups.items() if one == number), "")

    @staticmethod
    def _ok(data: object) -> dict[str, Any]:
        return {"status": "ok", "retcode": 0, "data": data, "message": "", "wording": ""}

    @staticmethod
    def _failed(code: int, text: str) -> dict[str, Any]:
        return {"status": "failed", "retcode": code, "data": None, "message": text, "msg": text}


def _read(message: Sequence[Mapping[str, Any]]) -> list[Shown]:
    """A sent message as QQ shows it: words in one bubble, each file in its own."""
    words, shown = "", []
    for part in message:
        data = part.get("data", {})
        match part.get("type"):
            case "text":
                words += str(data["text"])
            case "at":
                words += f"@{data['qq']}"
            case kind:
                content = base64.b64decode(str(data["file"]).removeprefix("base64://"))
                shown.append(Shown(kind=_KINDS[str(kind)], content=content))
    return [*([Shown(words)] if words.strip() else []), *shown]


def _cq(parts: Sequence[Mapping[str, Any]]) -> str:
    """A message as a CQ string."""
    written = ""
    for part in parts:
        data = part.get("data", {})
        if part.get("type") == "text":
            written += segments.escape(str(data["text"]))
            continue
        pairs = "".join(
            f",{name}={segments.escape(str(value), is_parameter=True)}"
            for name, value in data.items()
        )
        written += f"[CQ:{part.get('type')}{pairs}]"
    return written


__all__ = ["SELF_ID", "TOKEN", "FakeOneBot"]
