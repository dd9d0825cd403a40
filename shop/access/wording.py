"""Chinese words for states, as agents read them in the console and the bot fills them in."""

from __future__ import annotations

from shop.domain.cards import CheckSource, RedemptionState, StockState
from shop.domain.proofs import Factor
from shop.domain.refunds import RefundState
from shop.domain.shown_state import ShownState
from shop.domain.topups import TopUpState

SHOWN_STATE_TEXTS = {
    ShownState.PENDING_PAYMENT: "待付款",
    ShownState.EXPIRED: "超时未付款，已关闭",
    ShownState.CANCELLED: "已取消",
    ShownState.PROCESSING: "已付款，发货中",
    ShownState.STUCK: "已付款，发货超时",
    ShownState.DELIVERED: "已发货",
    ShownState.PARTIALLY_DELIVERED: "已发一部分",
    ShownState.ABNORMAL: "异常，待人工处理",
    ShownState.RISK_HOLD: "人工审核中",
    ShownState.FAILED: "发货失败",
    ShownState.TOPUP_PROCESSING: "充值中",
    ShownState.TOPUP_STUCK: "充值超时未到账",
    ShownState.TOPUP_DONE: "充值成功",
    ShownState.REFUNDING: "退款处理中",
    ShownState.REFUNDED: "已退款",
    ShownState.PARTIALLY_REFUNDED: "已部分退款",
}
STOCK_STATE_TEXTS = {
    StockState.AVAILABLE: "在库",
    StockState.RESERVED: "已预留",
    StockState.DELIVERED: "已发出",
    StockState.QUARANTINED: "已隔离",
    StockState.VOID: "已作废",
}
REDEMPTION_TEXTS = {
    RedemptionState.UNKNOWN: "未知",
    RedemptionState.UNUSED: "未使用",
    RedemptionState.USED: "已使用",
    RedemptionState.EXPIRED: "已过期",
    RedemptionState.INVALID: "无效",
    RedemptionState.FROZEN: "已冻结",
}
CHECK_SOURCE_TEXTS = {
    CheckSource.BUYER: "买家截图",
    CheckSource.STAFF: "人工测试",
    CheckSource.VERDICT: "供货方投诉结论",
    CheckSource.SUPPLIER: "供货方查询",
    CheckSource.ISSUER: "发行方查询",
}
REFUND_TEXTS = {
    RefundState.REQUESTED: "待审核",
    RefundState.APPROVED: "已同意",
    RefundState.PROCESSING: "退款中",
    RefundState.DONE: "已退款",
    RefundState.REFUSED: "已拒绝",
    RefundState.FAILED: "退款失败",
}
TOPUP_TEXTS = {
    TopUpState.SUBMITTED: "已提交",
    TopUpState.PROCESSING: "充值中",
    TopUpState.SUCCEEDED: "已到账",
    TopUpState.FAILED: "充值失败",
    TopUpState.UNKNOWN: "结果待确认",
}
FACTOR_TEXTS = {
    Factor.PASSWORD: "查询密码",
    Factor.CODE: "邮箱验证码",
    Factor.ACCOUNT: "下单账号",
    Factor.CONTACT: "下单联系方式",
}
