"""Sentences in which any look-up is refused."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge_base.source.tool_spec import ToolOutcome

NOT_FOUND = ToolOutcome(
    "订单不存在，或验证没通过（两种情况必须说得一样）",
    (
        "没有查到，或者信息对不上。请核对订单号和您发的查询密码/联系方式；还是不行就点“转人工”。",
        "Nothing found, or the details do not match. Please check the order number and what you "
        "sent.",
    ),
)
THROTTLED = ToolOutcome(
    "查得太频繁",
    (
        "查得有点频繁了，请过几分钟再试。着急的话点“转人工”。",
        "That was a lot of look-ups. Please try again in a few minutes.",
    ),
)
LOCKED = ToolOutcome(
    "错得太多，暂时锁定",
    (
        "这个订单验证错的次数有点多，为了安全先锁 30 分钟。着急的话点“转人工”，客服帮您核实。",
        "Too many wrong tries; for safety this is locked for 30 minutes. A person can help.",
    ),
)
UNAVAILABLE = ToolOutcome(
    "系统查不了，转人工",
    (
        "系统这会儿查不了，我请客服帮您看。",
        "I cannot look that up right now; a person will help.",
    ),
    reason="tool_error",
)
REFUSALS: Mapping[str, ToolOutcome] = {
    "not_found": NOT_FOUND,
    "throttled": THROTTLED,
    "locked": LOCKED,
    "unavailable": UNAVAILABLE,
}
