"""What can go wrong in the shop.

ShopError
├── IllegalMove        a state cannot follow another one; nothing was changed
├── RefundTooHigh      refunds would exceed what was paid
└── BackendError       a shop backend could not do it: one of a closed list of codes

``BackendError`` says whether trying again can help and after how long; its ``text`` is safe to
show to a customer.
"""

from __future__ import annotations

from enum import StrEnum


class ShopError(Exception):
    """Base of all errors of this folder."""


class IllegalMove(ShopError):
    """This state cannot follow that one: a bug, or an event that came late or out of order."""


class RefundTooHigh(ShopError):
    """The refunds of an order would be more than was paid for it."""


class ErrorCode(StrEnum):
    """Everything a backend may answer instead of data. The list is closed."""

    NOT_FOUND_OR_MISMATCH = "not_found_or_mismatch"
    PROOF_REQUIRED = "proof_required"
    LOCKED_OUT = "locked_out"
    FORBIDDEN = "forbidden"
    INVALID_INPUT = "invalid_input"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    UNSUPPORTED = "unsupported"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    UNKNOWN_RESULT = "unknown_result"
    TIMEOUT = "timeout"
    INTERNAL = "internal"


_TEXTS = {
    # one code and one text on purpose: which of the two it was must not be told
    ErrorCode.NOT_FOUND_OR_MISMATCH: "没有查到，或者信息对不上",
    ErrorCode.PROOF_REQUIRED: "需要先核实一下身份",
    ErrorCode.LOCKED_OUT: "尝试次数过多，暂时锁定",
    ErrorCode.FORBIDDEN: "没有权限",
    ErrorCode.INVALID_INPUT: "填写的内容不对",
    ErrorCode.CONFLICT: "状态刚刚变了，请再查一次",
    ErrorCode.RATE_LIMITED: "操作太频繁，请稍后再试",
    ErrorCode.UNSUPPORTED: "这个店铺暂不支持",
    ErrorCode.UPSTREAM_UNAVAILABLE: "店铺系统暂时连不上",
    ErrorCode.UNKNOWN_RESULT: "结果还不确定，正在核对",
    ErrorCode.TIMEOUT: "店铺系统响应太慢",
    ErrorCode.INTERNAL: "系统出了点问题",
}
_MAY_RETRY = frozenset(
    {
        ErrorCode.CONFLICT,
        ErrorCode.RATE_LIMITED,
        ErrorCode.UPSTREAM_UNAVAILABLE,
        ErrorCode.TIMEOUT,
    }
)


class BackendError(ShopError):
    """A backend did not do what was asked.

    Args:
        code: What to act on.
        retry_after_s: Seconds after which trying again makes sense; ``None`` if not known.
    """

    def __init__(self, code: ErrorCode, *, retry_after_s: float | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.retry_after_s = retry_after_s

    @property
    def can_retry(self) -> bool:
        """Whether the same call may succeed later. An unknown result may not: look it up."""
        return self.code in _MAY_RETRY

    @property
    def text(self) -> str:
        """One safe Chinese clause for a customer."""
        return _TEXTS[self.code]
