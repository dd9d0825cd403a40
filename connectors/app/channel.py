"""Where the registry finds this channel's connector."""

from __future__ import annotations

from connectors.app.account import AppAccount
from connectors.app.connector import AppConnector
from connectors.kit.account import Account
from connectors.kit.host import Host


def connector(account: Account, host: Host) -> AppConnector:
    """The connector of a shop's app."""
    if not isinstance(account, AppAccount):
        raise TypeError(f"an account of {account.channel}")
    return AppConnector(account, host)


__all__ = ["connector"]
