"""Errors of the API: each refusal is JSON with a code for the console, Chinese for the agent."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from handoff.auth.agents import BadAgent
from handoff.auth.login_queue import QueueFull
from handoff.auth.passwords import WeakPassword
from handoff.auth.sessions import Contested, LockedOut, WrongPassword
from handoff.console.models import ErrorDetail, ErrorOut
from handoff.errors import (
    AlreadyClaimed,
    Conflict,
    HandoffError,
    IllegalTransition,
    NoSuchConversation,
    NotAssignee,
    NotFound,
    Refused,
    StorageUnavailable,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HTTP_TEXTS = {
    404: ("not_found", "没有这个地址"),
    405: ("method_not_allowed", "这个地址不支持这种请求"),
    413: ("too_large", "内容太大了"),
}
_FIELD_TEXTS = {
    "missing": "必填",
    "extra_forbidden": "不认识的字段",
    "string_too_long": "太长了",
    "string_too_short": "不能为空",
    "too_long": "太多了",
    "json_invalid": "不是有效的 JSON",
    "enum": "不在可选值里",
    "literal_error": "不在可选值里",
}


class ApiError(Exception):
    """A refusal.

    Attributes:
        extra: Further fields of the answer, such as ``assignee``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after_s: float | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
        self.extra: Mapping[str, Any] = extra

    def response(self) -> web.Response:
        """The answer that says so."""
        retry_after_s = None if self.retry_after_s is None else math.ceil(self.retry_after_s)
        detail = ErrorDetail(
            code=self.code, message=self.message, retry_after_s=retry_after_s, **self.extra
        )
        headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        return web.json_response(
            text=ErrorOut(error=detail).model_dump_json(exclude_none=True),
            status=self.status,
            headers=headers,
        )


def invalid(error: ValidationError) -> ApiError:
    """The refusal of a body or query that does not fit, with the names of its fields."""
    fields = [
        {
            "field": ".".join(str(part) for part in one["loc"]) or "body",
            "message": _FIELD_TEXTS.get(one["type"], "格式不对"),
        }
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    named = "、".join(f"{one['field']}（{one['message']}）" for one in fields[:5])
    return ApiError(422, "invalid", f"请检查：{named}", fields=fields)


def refusal(error: HandoffError) -> ApiError:  # noqa: PLR0911, PLR0912 - a case an error
    """How the API says what a use case refuses."""
    match error:
        case AlreadyClaimed():
            who = {"id": error.assignee, "name": error.name}
            return ApiError(409, "already_claimed", f"{error.name} 已经接入了", assignee=who)
        case NotAssignee():
            who = {"id": error.assignee, "name": error.name}
            return ApiError(409, "not_assignee", f"会话在 {error.name} 手里", assignee=who)
        case WrongPassword():
            return ApiError(401, "wrong_password", "用户名或密码不对")
        case QueueFull():
            text = "现在登录的人太多，请过几秒再试"
            return ApiError(429, "busy", text, retry_after_s=error.retry_after_s)
        case Contested():
            seconds = math.ceil(error.retry_after_s)
            text = f"有人在反复试这个账号的密码，请 {seconds} 秒后再试，或用以前登录过的浏览器"
            return ApiError(429, "contested", text, retry_after_s=error.retry_after_s)
        case LockedOut():
            minutes = max(1, math.ceil(error.retry_after_s / 60))
            text = f"密码错误次数太多，请 {minutes} 分钟后再试"
            return ApiError(429, "locked_out", text, retry_after_s=error.retry_after_s)
        case NoSuchConversation():
            return ApiError(404, "not_found", "没有这个会话")
        case NotFound():
            return ApiError(404, "not_found", str(error))
        case Refused() | WeakPassword() | BadAgent():
            return ApiError(422, "refused", str(error))
        case IllegalTransition():
            return ApiError(409, "illegal_move", "会话的状态已经变了，不能这样操作，请刷新再看")
        case Conflict():
            return ApiError(409, "conflict", "刚刚有人改动了这个会话，请再试一次")
        case StorageUnavailable():
            text = "数据库暂时没有响应，请稍后看看有没有保存，再试一次"
            return ApiError(503, "storage_unavailable", text, retry_after_s=2)
        case _:
            return ApiError(409, "refused", "现在不能这样操作")


@web.middleware
async def answering_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what is refused in one form; the unforeseen is the server's to tell."""
    try:
        response = await handler(request)
    except ApiError as error:
        response = error.response()
    except HandoffError as error:
        response = refusal(error).response()
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 - a redirect is no error
            raise
        code, text = _HTTP_TEXTS.get(error.status, ("refused", "请求有误"))
        response = ApiError(error.status, code, text).response()
    if not response.prepared:
        response.headers.update(_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
    return response
