"""Which channels there are, and where the code of each begins.

To add one: a package here with ``account.py`` (its entry in channels.yaml) and ``channel.py``
(``connector(account, host)``), a line below, a contract test class and a page in docs/channels.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from connectors.kit.account import Account
from connectors.kit.host import Host
from connectors.messages import Connector

TITLES = {
    "telegram": "Telegram",
    "wechat": "微信公众号",
    "wecom": "微信客服",
    "onebot": "QQ（个人号）",
    "qq": "QQ 机器人",
    "app": "自有 App",
    "web": "网页",
}
"""Channels as agents and admins read them; all but the page stand in channels.yaml."""

CHANNELS = tuple(name for name in TITLES if name != "web")


def account_model(channel: str) -> type[Account]:
    """The fields of a channel's entry; loads nothing but those."""
    found: type[Account] = import_module(f"connectors.{channel}.account").ACCOUNT
    return found


def make(account: Account, host: Host) -> Connector:
    """The connector of an account; loads the channel's libraries."""
    module = import_module(f"connectors.{account.channel}.channel")
    return cast("Callable[[Account, Host], Connector]", module.connector)(account, host)
