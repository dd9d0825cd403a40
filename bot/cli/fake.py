"""``kefu channels fake``: a fake platform with a demo shop beside it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.app.process.errors import BadData
from bot.cli.command import settings_and_data

if TYPE_CHECKING:
    from bot.app.server import Started
    from devkit.platform import FakePlatform


@click.command()
@click.argument("channel")
@click.option("--port", type=int, default=0, help="假平台的端口；不填就任选一个")
@click.option("--kefu", help="kefu 的地址；不填就顺便启动一个演示商店")
@click.option("--user", default="小明", help="顾客在假平台上的名字")
def fake(*, channel: str, port: int, kefu: str | None, user: str) -> None:
    """在本机启动一个假平台，不用账号就能看见一段真的对话。"""
    asyncio.run(_fake(channel, port, kefu, user))


async def _fake(channel: str, port: int, kefu: str | None, user: str) -> None:
    from bot.app.process import logs  # noqa: PLC0415 - loads structlog
    from devkit import catalogue  # noqa: PLC0415 - loads the platforms' libraries

    if channel not in catalogue.FAKES:
        raise BadData(f"没有 {channel} 的假平台；有的是 {'、'.join(catalogue.FAKES)}")
    async with AsyncExitStack() as stack:
        platform = catalogue.a_fake(channel)
        await platform.start(port)
        stack.push_async_callback(platform.stop)
        if kefu is None:
            click.echo("正在启动演示商店 …")
            cache = settings_and_data(None).data_dir / "cache"
            logs.configure("error", "text")
            demo = await stack.enter_async_context(_demo_beside(platform, cache))
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


@dataclass
class _Customer:
    """The customer on the fake platform that the terminal speaks for."""

    name: str


async def _converse(platform: Any, user: str) -> None:
    """Say what is typed as the customer, and print what the customer sees as it comes."""
    from bot.app.process.tasks import Tasks  # noqa: PLC0415 - loads structlog

    click.echo(_HELP)
    customer = _Customer(user)
    async with Tasks() as tasks:
        tasks.create_task(_show(platform, customer))
        with suppress(EOFError, KeyboardInterrupt):
            await _say(platform, customer)


async def _say(platform: Any, customer: _Customer) -> None:
    """Say line after line, until ``/quit``."""
    while (line := (await asyncio.to_thread(_read_line)).strip()) != "/quit":
        verb, _, rest = line.partition(" ")
        if verb == "/as" and rest:
            customer.name = rest
        elif line:
            await _act(platform, customer.name, verb, rest, line)


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


async def _show(platform: Any, customer: _Customer) -> None:
    seen: Counter[str] = Counter()
    while True:
        name = customer.name
        lines = platform.shown(name)
        for line in lines[seen[name] :]:
            words = line.text if line.kind == "text" else f"[{line.kind}] {line.text}".strip()
            click.echo("\n".join(f"  ◀ {part}" for part in words.split("\n")))
            if line.buttons:
                click.echo(f"    {'  '.join(f'[{label}]' for label in line.buttons)}")
        seen[name] = len(lines)
        await platform.until(
            lambda: len(platform.shown(customer.name)) > seen[customer.name], 3600.0
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _share(cache: Path, data: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    data.mkdir()
    (data / "cache").symlink_to(cache.absolute())


@asynccontextmanager
async def _demo_beside(platform: FakePlatform, cache: Path) -> AsyncIterator[Started]:
    """A demo shop of its own, connected to a running fake.

    Args:
        cache: Fitted knowledge bases, so that this one need not be fitted again.
    """
    with tempfile.TemporaryDirectory(prefix="kefu-fake-") as folder:
        from bot.app.server import running  # noqa: PLC0415 - loads the whole server
        from bot.app.settings import Settings  # noqa: PLC0415

        port = _free_port()
        _share(cache, Path(folder) / "data")
        channels = Path(folder) / "channels.yaml"
        channels.write_text(json.dumps({"channels": [platform.account()]}))
        settings = Settings(
            data_dir=Path(folder) / "data",
            channels=channels,
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            log_level="error",
            _env_file=None,
        )
        async with running(settings, is_demo=True) as started:
            await platform.connect(started.url)
            yield started
