"""The methods of the platform's API under ``/cgi-bin/kf/``, each a plain function of its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from devkit.platform import Clock
from devkit.wecom import content, rules
from devkit.wecom.rules import Refusal, size
from devkit.wecom.state import Session, State

Json = dict[str, Any]


class Settings(Protocol):
    """What a test may set on the fake."""

    open_kfid: str
    is_managed: bool
    page_size: int
    empty_pages: int
    tokenless_per_minute: int
    repeated_msgid_code: int
    moves: Mapping[int, frozenset[int]]


class KfApi:
    """Answers by the rules.

    Args:
        fails: Called with (customer, msgid, fail_type) for a send that was taken in vain.
    """

    def __init__(self, settings: Settings, state: State, clock: Clock, fails: Any) -> None:
        self._set = settings
        self._state = state
        self._clock = clock
        self._fails = fails

    # ------------------------------------------------------------------ reading

    def sync_msg(self, body: Json) -> Json:
        """A page of the log from a cursor on."""
        now = self._clock()
        if (account := body.get("open_kfid")) is not None:
            self._check_account(account)
        self._check_callback_token(str(body.get("token") or ""), now)
        limit = body.get("limit", rules.MAX_PAGE)
        cursor = str(body.get("cursor") or "")
        if not 0 < limit <= rules.MAX_PAGE or size(cursor) > rules.MAX_CURSOR_BYTES:
            raise Refusal(rules.BAD_PARAMETER)
        start = self._first_place(cursor, now)
        if self._set.empty_pages > 0:
            self._set.empty_pages -= 1
            return {"next_cursor": place(start), "has_more": 1, "msg_list": []}
        end = min(start + min(limit, self._set.page_size), len(self._state.log))
        return {
            "next_cursor": place(end),
            "has_more": int(end < len(self._state.log)),
            "msg_list": [dict(entry.item) for entry in self._state.log[start:end]],
        }

    def _first_place(self, cursor: str, now: datetime) -> int:
        log = self._state.log
        if cursor and not (cursor.startswith(_PREFIX) and cursor[len(_PREFIX) :].isdigit()):
            raise Refusal(rules.BAD_PARAMETER)
        start = int(cursor[len(_PREFIX) :]) if cursor else 0
        while start < len(log) and now - log[start].at > rules.LOG_LIFE:
            start += 1
        return start

    def _check_callback_token(self, token: str, now: datetime) -> None:
        if token:
            issued = self._state.callback_tokens.get(token)
            if issued is None or now - issued > rules.CALLBACK_TOKEN_LIFE:
                raise Refusal(rules.BAD_CALLBACK_TOKEN)
            return
        recent = [at for at in self._state.tokenless_at if now - at < timedelta(minutes=1)]
        if len(recent) >= self._set.tokenless_per_minute:
            raise Refusal(rules.TOO_FAST)
        self._state.tokenless_at = [*recent, now]

    def batchget(self, body: Json) -> Json:
        """What is known of customers."""
        ids = body.get("external_userid_list") or []
        if not 0 < len(ids) <= rules.MAX_CUSTOMERS:
            raise Refusal(rules.BAD_PARAMETER)
        known = [one for one in ids if one in self._state.sessions]
        return {
            "customer_list": [
                {
                    "external_userid": one,
                    "nickname": one.removeprefix("wm"),
                    "avatar": "http://wx.qlogo.cn/mmopen/0",
                    "gender": 0,
                    "unionid": f"ozynqsulJFCZ2z1aYeS8h-{one}",
                }
                for one in known
            ],
            "invalid_external_userid": [one for one in ids if one not in known],
        }

    def account_list(self, body: Json) -> Json:  # noqa: ARG002 - one shape for all
        """The accounts that this app may manage."""
        avatar = "https://wework.qpic.cn/wwpic/0"
        account = {"open_kfid": self._set.open_kfid, "name": "星辰点卡", "avatar": avatar}
        return {"account_list": [{**account, "manage_privilege": self._set.is_managed}]}

    # ------------------------------------------------------------------ sending

    def send_msg(self, body: Json) -> Json:
        """Say something to a customer."""
        now, state = self._clock(), self._state
        self._check_account(body.get("open_kfid"))
        session = self._session(body.get("touser"), now)
        msgid = self._check_msgid(body.get("msgid"))
        shown = content.look(body, state, now)
        self._check_window(session, now)
        state.sent_msgids.add(msgid)
        session.sends_left -= 1
        if session.state == rules.NEW:
            session.state = rules.BOT
        if session.refuses:
            self._fails(session.external_userid, msgid, rules.REFUSED)
        elif state.fail_later:
            self._fails(session.external_userid, msgid, state.fail_later.pop(0))
        else:
            session.shown.append(shown)
        return {"msgid": msgid}

    def _check_window(self, session: Session, now: datetime) -> None:
        if session.wrote_at is None or now - session.wrote_at > rules.WINDOW:
            raise Refusal(rules.TOO_LATE)
        if session.state not in {rules.NEW, rules.BOT}:
            raise Refusal(rules.WRONG_STATE)
        if session.sends_left <= 0:
            raise Refusal(rules.TOO_MANY)

    def _check_msgid(self, msgid: object) -> str:
        if msgid is None or msgid == "":
            return f"generated_{self._state.number()}"
        if not isinstance(msgid, str) or not rules.MSGID.fullmatch(msgid):
            raise Refusal(rules.BAD_PARAMETER)
        if msgid in self._state.sent_msgids:
            raise Refusal(self._set.repeated_msgid_code)
        return msgid

    def send_msg_on_event(self, body: Json) -> Json:
        """Say one thing at an event; it costs nothing of the five."""
        now, state = self._clock(), self._state
        code = state.codes.get(str(body.get("code")))
        if code is None or code.is_used:
            raise Refusal(rules.BAD_EVENT_CODE)
        rule = rules.CODE_RULES[code.kind]
        session = self._session(code.external_userid, now)
        is_in_state = rule.state is None or session.state == rule.state
        if now - code.at > rule.life or not is_in_state:
            raise Refusal(rules.BAD_EVENT_CODE)
        if body.get("msgtype") not in rule.types:
            raise Refusal(rules.BAD_MSGTYPE)
        msgid = self._check_msgid(body.get("msgid"))
        session.shown.append(content.look(body, state, now))
        state.sent_msgids.add(msgid)
        code.is_used = True
        if code.kind == "welcome":
            session.welcomed_at = now
        return {"msgid": msgid}

    # ------------------------------------------------------------------ who talks

    def state_get(self, body: Json) -> Json:
        """In which state a session is."""
        self._check_account(body.get("open_kfid"))
        session = self._session(body.get("external_userid"), self._clock())
        return {"service_state": session.state, "servicer_userid": session.servicer}

    def state_trans(self, body: Json) -> Json:
        """Move a session along."""
        now = self._clock()
        self._check_account(body.get("open_kfid"))
        session = self._session(body.get("external_userid"), now)
        wanted, servicer = body.get("service_state"), str(body.get("servicer_userid") or "")
        if wanted not in self._set.moves:
            raise Refusal(rules.BAD_PARAMETER)
        if wanted not in self._set.moves[session.state]:
            ended = session.state == rules.ENDED
            raise Refusal(rules.SESSION_ENDED if ended else rules.WRONG_STATE)
        if wanted == rules.HUMAN and servicer not in self._state.servicers:
            raise Refusal(rules.NOT_ON_DUTY)
        session.state = wanted
        session.servicer = servicer if wanted == rules.HUMAN else ""
        kind = {rules.POOL: "pool", rules.ENDED: "end"}.get(wanted)
        if kind is None:
            return {}
        return {"msg_code": self._state.new_code(kind, session.external_userid, now)}

    # ------------------------------------------------------------------ shared checks

    def _check_account(self, open_kfid: object) -> None:
        if open_kfid != self._set.open_kfid:
            raise Refusal(rules.BAD_ACCOUNT)

    def _session(self, external_userid: object, now: datetime) -> Session:
        session = self._state.sessions.get(str(external_userid))
        if session is None:
            # the real one names the id too: whoever logs an errmsg logs a customer
            raise Refusal(rules.BAD_CUSTOMER, f"invalid external userid [{external_userid}]")
        session.settle(now)
        return session


_PREFIX = "4gw7MepFLfgF2VC5npN"


def place(index: int) -> str:
    """The cursor that stands before an entry of the log."""
    return f"{_PREFIX}{index}"


__all__ = ["KfApi", "Settings", "place"]
