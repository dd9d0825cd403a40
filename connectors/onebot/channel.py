"""Where the registry finds this channel's connector."""

from __future__ import annotations

from connectors.kit.account import Account
from connectors.kit.host import Host
from connectors.onebot.account import OneBotAccount
from connectors.onebot.connector import OneBotConnector


def connector(account: Account, host: Host) -> OneBotConnector:
    """The connector of a QQ account."""
    if not isinstance(account, OneBotAccount):
        raise TypeError(f"an account of {account.channel}")
    return OneBotConnector(account, host)


__all__ = ["connector"]
