"""Where the registry finds this channel's connector."""

from __future__ import annotations

from connectors.kit.account import Account
from connectors.kit.host import Host
from connectors.qq.account import QQAccount
from connectors.qq.connector import QQConnector


def connector(account: Account, host: Host) -> QQConnector:
    """The connector of a QQ bot."""
    if not isinstance(account, QQAccount):
        raise TypeError(f"an account of {account.channel}")
    return QQConnector(account, host)


__all__ = ["connector"]
