"""What the app posts to us: read, or refused with what is wrong and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import web
from pydantic import ValidationError

from connectors.app.frames import ErrorOut, MessageIn
from connectors.errors import BadWebhook, NotStored
from connectors.media.http import read_request

MEGABYTE = 1024 * 1024
_NO_JSON = "请求体要是 UTF-8 的 JSON，最外层是一个对象"
_WHY = {
    "missing": "缺少这一项",
    "string_type": "要写成字符串",
    "string_too_short": "太短，最少 {min_length} 个字符",
    "string_too_long": "太长，最多 {max_length} 个字符",
    "too_long": "太多，最多 {max_length} 个",
    "literal_error": "只能是 {expected}",
    "timezone_aware": "要带时区，例如 2026-11-23T12:00:00+08:00",
    "tuple_type": "要写成数组",
    "model_type": "要写成对象",
    "model_attributes_type": "要写成对象",
    "greater_than_equal": "不能小于 {ge}",
}
_PATTERNS = {
    "id": "只能用英文字母、数字和常见符号，不能有空格和中文",
    "url": "要以 https:// 或 http:// 开头",
}
_ERRORS: dict[int, Literal["bad_request", "bad_signature", "too_large"]] = {
    400: "bad_request",
    401: "bad_signature",
    413: "too_large",
}


async def read_body(request: web.Request, max_mb: int) -> bytes:
    """The body as it came.

    Raises:
        BadWebhook: 413: it is larger than that; no more of it is read.
    """
    too_large = f"请求太大，最多 {max_mb} MB：大文件请改用 attachments 里的 url"
    return await read_request(request, max_mb * MEGABYTE, too_large)


def read_frame(body: bytes) -> MessageIn:
    """What is in it.

    Raises:
        BadWebhook: 400: which field is wrong, and how it should be. No value is repeated.
    """
    try:
        return MessageIn.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        raise BadWebhook(400, _explained(problem)) from None


def _explained(problem: Mapping[str, Any]) -> str:
    kind, context = str(problem["type"]), problem.get("ctx", {})
    field = ".".join(str(part) for part in problem["loc"])
    if kind == "json_invalid" or not field:
        return str(context["error"]) if kind == "value_error" else _NO_JSON
    if kind == "value_error":
        why = str(context["error"])
    elif kind == "string_pattern_mismatch":
        why = _PATTERNS.get(str(problem["loc"][-1]), "格式不对")
    elif kind.startswith("datetime"):
        why = "要写成 ISO 8601 的时间，例如 2026-11-23T12:00:00+08:00"
    else:
        why = _WHY.get(kind, "填得不对").format_map(context)
    return f"{field}：{why}"


def refused(error: BadWebhook) -> web.Response:
    """The answer to what is not taken; the same again will not be taken either."""
    told = ErrorOut(error=_ERRORS.get(error.status, "bad_request"), message=str(error))
    return web.json_response(told.model_dump(), status=error.status)


def not_stored(error: NotStored) -> web.Response:
    """The answer while nothing can be stored: the same again will help."""
    seconds = max(1, math.ceil(error.retry_after_s))
    told = ErrorOut(
        error="try_again", message=f"kefu 现在存不了，{seconds} 秒后用同一个 id 再发一次"
    )
    return web.json_response(told.model_dump(), status=503, headers={"Retry-After": str(seconds)})


__all__ = ["not_stored", "read_body", "read_frame", "refused"]
