"""Where the registry finds this channel's connector."""

from __future__ import annotations

from connectors.kit.account import Account
from connectors.kit.host import Host
from connectors.wecom.account import WecomAccount
from connectors.wecom.connector import WecomConnector


def connector(account: Account, host: Host) -> WecomConnector:
    """The connector of a 微信客服 account."""
    if not isinstance(account, WecomAccount):
        raise TypeError(f"an account of {account.channel}")
    return WecomConnector(account, host)


__all__ = ["connector"]
