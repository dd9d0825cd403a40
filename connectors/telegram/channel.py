"""Where the registry finds this channel's connector."""

from __future__ import annotations

from connectors.kit.account import Account
from connectors.kit.host import Host
from connectors.telegram.account import TelegramAccount
from connectors.telegram.connector import TelegramConnector


def connector(account: Account, host: Host) -> TelegramConnector:
    """The connector of a Telegram bot."""
    if not isinstance(account, TelegramAccount):
        raise TypeError(f"an account of {account.channel}")
    return TelegramConnector(account, host)


__all__ = ["connector"]
