"""``kefu channels``: what is configured, whether it works, and platforms to try it on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.channels_init import init
from bot.cli.command import settings_of
from bot.cli.fake import fake

if TYPE_CHECKING:
    from bot.app.settings import Settings
    from connectors.kit.account import Account
    from connectors.messages import Check, Connector

CHANNELS_FILE = click.option(
    "--channels", type=click.Path(path_type=Path), help="渠道文件（KEFU_CHANNELS）"
)
CHECK_TIMEOUT_S = 20.0
_YES, _NO, _UNKNOWN = "正常", "不行", "没有问"


@click.group()
def channels() -> None:
    """渠道：Telegram、微信、QQ、自有 App。"""


channels.add_command(init)
channels.add_command(fake)


@channels.command(name="list")
@CHANNELS_FILE
def list_channels(*, channels: Path | None) -> None:
    """列出 channels.yaml 里的账号。"""
    settings = settings_of(channels=channels)
    configured = _accounts(settings)
    for account in configured:
        click.echo(_title(account))
    if not configured:
        _tell_none(settings)


@channels.command()
@click.option("--json", "as_json", is_flag=True, help="一行一个 JSON")
@CHANNELS_FILE
def check(*, as_json: bool, channels: Path | None) -> None:
    """逐个检查：连不连得上、密钥对不对、回调设好没有、最近出过什么错。"""
    settings = settings_of(channels=channels)
    configured = _accounts(settings)
    if not configured:
        _tell_none(settings)
        return
    bad = asyncio.run(_check(settings, configured, as_json=as_json))
    if bad:
        sys.exit(2)


def _tell_none(settings: Settings) -> None:
    click.echo(
        f"{settings.channels} 里还没有账号，顾客现在只能在网页上找到您（见 docs/channels.md）"
    )


def _accounts(settings: Settings) -> tuple[Account, ...]:
    from bot.app.channels import accounts  # noqa: PLC0415 - loads the server's libraries

    return accounts(settings.channels)


def _title(account: Account) -> str:
    from connectors.kit.registry import TITLES  # noqa: PLC0415

    named = f"  {account.title}" if account.title else ""
    return f"{account.channel}/{account.account}  {TITLES[account.channel]}{named}"


async def _check(settings: Settings, configured: tuple[Account, ...], *, as_json: bool) -> int:
    """Ask every platform, side by side; how many have something wrong."""
    from bot.app.channels import problems_of_running  # noqa: PLC0415
    from bot.app.host import a_lonely_host  # noqa: PLC0415
    from connectors.kit.registry import make  # noqa: PLC0415

    running = await problems_of_running(settings)
    async with a_lonely_host(settings.public_url) as host:
        made = [make(account, host) for account in configured]
        found = await asyncio.gather(*(_asked(connector) for connector in made))
    bad = 0
    for account, asked in zip(configured, found, strict=True):
        result = _with_weak_secrets(asked, account)
        last_error = running.get(f"{account.channel}/{account.account}")
        bad += not _is_fine(result) or last_error is not None
        if as_json:
            _tell_json(account, result, last_error)
        else:
            _tell(account, result, last_error)
    return bad


async def _asked(connector: Connector) -> Check:
    from connectors.messages import Check  # noqa: PLC0415

    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await connector.check()
    except TimeoutError:
        late = "平台 20 秒没有回答：检查服务器的网络和代理"
        return Check(is_reachable=False, is_authorised=None, advice=(late,))
    except Exception as error:  # noqa: BLE001 - one account's bug must not hide the others
        bug = f"检查时出错（{type(error).__name__}），请反馈给我们"
        return Check(is_reachable=False, is_authorised=None, advice=(bug,))


def _with_weak_secrets(result: Check, account: Account) -> Check:
    from dataclasses import replace  # noqa: PLC0415

    told = tuple(
        f"{name} 太短或太简单，别人可能猜得到：两边都换成 16 个以上的字母和数字"
        for name in account.weak_secrets()
    )
    return replace(result, advice=(*result.advice, *told))


def _is_fine(result: Check) -> bool:
    return (
        result.is_reachable is not False and result.is_authorised is not False and not result.advice
    )


def _word(answer: bool | None) -> str:  # noqa: FBT001 - the answer itself
    return _UNKNOWN if answer is None else (_YES if answer else _NO)


def _tell(account: Account, result: Check, last_error: str | None) -> None:
    mark = "✓" if _is_fine(result) and last_error is None else "✗"
    click.echo(f"{mark} {_title(account)}" + (f"（{result.name}）" if result.name else ""))
    click.echo(f"    连接 {_word(result.is_reachable)} · 密钥 {_word(result.is_authorised)}")
    if result.webhook is not None:
        click.echo(f"    回调 {result.webhook}")
    if last_error is not None:
        click.echo(f"    最近的错误 {last_error}")
    for line in result.advice:
        click.echo(f"    → {line}")


def _tell_json(account: Account, result: Check, last_error: str | None) -> None:
    import json  # noqa: PLC0415

    click.echo(
        json.dumps(
            {
                "channel": account.channel,
                "account": account.account,
                "reachable": result.is_reachable,
                "authorised": result.is_authorised,
                "webhook": result.webhook,
                "name": result.name,
                "last_error": last_error,
                "advice": list(result.advice),
            },
            ensure_ascii=False,
        )
    )
