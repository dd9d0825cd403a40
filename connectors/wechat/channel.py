"""Where the registry finds this channel's connector."""

from __future__ import annotations

from connectors.kit.account import Account
from connectors.kit.host import Host
from connectors.wechat.account import WechatAccount
from connectors.wechat.connector import WechatConnector


def connector(account: Account, host: Host) -> WechatConnector:
    """The connector of a 公众号."""
    if not isinstance(account, WechatAccount):
        raise TypeError(type(account).__name__)
    return WechatConnector(account, host)


__all__ = ["connector"]
