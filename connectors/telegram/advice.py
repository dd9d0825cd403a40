"""What an admin reads when Telegram does not do as it should. Chinese, and without secrets."""

from __future__ import annotations

from connectors.errors import AuthError, RateLimited, SendError, Undeliverable

REFUSED = "Telegram 不认这个 token：到 @BotFather 里查看或重新生成，改好后重启 kefu。"
OTHER_PROCESS = "另一个 kefu 进程正在收这个机器人的消息，这个进程先等着。"
OTHER_POLLER = "还有别的程序在用这个 token 收消息，两边会抢：停掉那一个，或改用 updates: relayed。"
FOREIGN_WEBHOOK = (
    "这个机器人设了别处的 webhook，kefu 收不到消息。那边是店里自己的机器人，就改用 updates: "
    "relayed；不用了，就在这个账号下面写 replace_webhook: true。"
)
OWN_WEBHOOK = (
    "updates 是 relayed，但 webhook 还指着 kefu，店里的机器人收不到消息：让它重新启动，"
    "或重新设置它的 webhook。"
)
NO_PUBLIC_URL = "updates: webhook 要有 https 公网地址：先设置 KEFU_PUBLIC_URL，或改成 polling。"
BAD_PUBLIC_URL = (
    "Telegram 不接受这个公网地址：要以 https:// 开头，证书有效，端口是 443、80、88 或 8443。"
)
NOT_STORED = "消息暂时存不进数据库，存好之前不会丢。"
SILENT = "很久没有收到 Telegram 的回应了，检查服务器的网络。"
BUG = "收消息的程序出错了，会自己再试，请看日志。"


def receiving(error: SendError) -> str:
    """Why updates cannot be had now."""
    match error:
        case AuthError():
            return REFUSED
        case RateLimited():
            return f"请求太频繁，Telegram 要求等 {error.retry_after_s:.0f} 秒。"
    return f"暂时连不上 Telegram（{error.code}），会一直重试：检查服务器的网络，或填 proxy。"


def sending(error: SendError) -> str:
    """Why messages cannot be sent now."""
    match error:
        case AuthError():
            return REFUSED
        case Undeliverable():
            return "这位顾客发不到。"
    return f"暂时发不出消息（{error.code}），会再试。"


__all__ = [
    "BAD_PUBLIC_URL",
    "BUG",
    "FOREIGN_WEBHOOK",
    "NOT_STORED",
    "NO_PUBLIC_URL",
    "OTHER_POLLER",
    "OTHER_PROCESS",
    "OWN_WEBHOOK",
    "REFUSED",
    "SILENT",
    "receiving",
    "sending",
]
