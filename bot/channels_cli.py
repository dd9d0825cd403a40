"""``kefu channels``: what is configured, whether it works, and platforms to try it on."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.channels_init_cli import init
from bot.command import settings_and_data, settings_of
from bot.errors import BadData, BadSetting

if TYPE_CHECKING:
    from bot.settings import Settings
    from connectors.account import Account
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
    from bot.channels import accounts  # noqa: PLC0415 - loads the server's libraries

    return accounts(settings.channels)


def _title(account: Account) -> str:
    from connectors.registry import TITLES  # noqa: PLC0415

    named = f"  {account.title}" if account.title else ""
    return f"{account.channel}/{account.account}  {TITLES[account.channel]}{named}"


async def _check(settings: Settings, configured: tuple[Account, ...], *, as_json: bool) -> int:
    """Ask every platform, side by side; how many have something wrong."""
    from bot.channels import a_lonely_host, problems_of_running  # noqa: PLC0415
    from connectors.registry import make  # noqa: PLC0415

    running = await problems_of_running(settings)
    async with a_lonely_host(settings.public_url) as host:
        made = [make(account, host) for account in configured]
        found = await asyncio.gather(*(_asked(one) for one in made))
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


# ---------------------------------------------------------------------- platforms to try it on


@channels.command()
@click.argument("channel")
@click.option("--port", type=int, default=0, help="假平台的端口；不填就任选一个")
@click.option("--kefu", help="kefu 的地址；不填就顺便启动一个演示商店")
@click.option("--user", default="小明", help="顾客在假平台上的名字")
def fake(*, channel: str, port: int, kefu: str | None, user: str) -> None:
    """在本机启动一个假平台，不用账号就能看见一段真的对话。"""
    asyncio.run(_fake(channel, port, kefu, user))


def _fakes() -> Any:
    """The fake platforms of a clone; they are not part of an installed kefu."""
    root = Path(__file__).resolve().parent.parent
    if not (root / "tests" / "fakes").is_dir():
        raise BadSetting("假平台只在源码目录里有：git clone 之后用 make setup，再试一次")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    from tests.fakes import catalogue  # noqa: PLC0415

    return catalogue


async def _fake(channel: str, port: int, kefu: str | None, user: str) -> None:
    from bot import logs  # noqa: PLC0415 - loads structlog

    fakes = _fakes()
    if channel not in fakes.FAKES:
        raise BadData(f"没有 {channel} 的假平台；有的是 {'、'.join(fakes.FAKES)}")
    async with AsyncExitStack() as stack:
        platform = fakes.a_fake(channel)
        await platform.start(port)
        stack.push_async_callback(platform.stop)
        if kefu is None:
            click.echo("正在启动演示商店 …")
            cache = settings_and_data(None).data_dir / "cache"
            logs.configure("error", "text")
            demo = await stack.enter_async_context(fakes.demo_beside(platform, cache))
            kefu = demo.url
            click.echo(f"\n  账号 admin  密码 {demo.admin_password}")
        else:
            _show_entry(platform)
            await asyncio.to_thread(
                click.prompt,
                "写进 channels.yaml 并重启 kefu 之后按回车",
                default="",
                show_default=False,
            )
            await platform.connect(kefu)
        click.echo(f"  人工客服台 {kefu}/console\n")
        await _converse(platform, user)


def _show_entry(platform: Any) -> None:
    import yaml  # noqa: PLC0415

    entry = yaml.safe_dump({"channels": [platform.account()]}, allow_unicode=True, sort_keys=False)
    click.echo(f"\n{entry}")


_HELP = "  直接打字就是顾客说话；/press 按钮名  /image 文件  /arrive  /leave  /as 名字  /quit"


async def _converse(platform: Any, user: str) -> None:
    """Lines typed are what the customer says; what the customer sees is printed as it comes."""
    click.echo(_HELP)
    seen: dict[str, int] = {}
    showing = asyncio.create_task(_show(platform, seen, lambda: user))
    try:
        while True:
            line = (await asyncio.to_thread(_read_line)).strip()
            if line in {"", "/quit"}:
                if line == "/quit":
                    return
                continue
            verb, _, rest = line.partition(" ")
            if verb == "/as" and rest:
                user = rest
            else:
                await _act(platform, user, verb, rest, line)
    except (EOFError, KeyboardInterrupt):
        return
    finally:
        showing.cancel()


def _read_line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


async def _act(platform: Any, user: str, verb: str, rest: str, line: str) -> None:
    try:
        match verb:
            case "/press":
                await platform.presses(user, rest)
            case "/image":
                content = await asyncio.to_thread(Path(rest).read_bytes)
                await platform.sends_media(user, "image", content, name=Path(rest).name)
            case "/arrive":
                await platform.arrives(user, rest)
            case "/leave":
                await platform.leaves(user)
            case _:
                await platform.says(user, line)
    except NotImplementedError:
        click.echo("  （这个平台没有这件事）")
    except (OSError, LookupError, ValueError, AssertionError, StopIteration) as error:
        click.echo(f"  （没做成：{error}）")


async def _show(platform: Any, seen: dict[str, int], user: Any) -> None:
    while True:
        name = user()
        lines = platform.shown(name)
        for one in lines[seen.get(name, 0) :]:
            words = one.text if one.kind == "text" else f"[{one.kind}] {one.text}".strip()
            click.echo("\n".join(f"  ◀ {part}" for part in words.split("\n")))
            if one.buttons:
                click.echo(f"    {'  '.join(f'[{label}]' for label in one.buttons)}")
        seen[name] = len(lines)
        await platform.until(lambda: len(platform.shown(user())) > seen.get(user(), 0), 3600.0)
