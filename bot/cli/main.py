"""The command ``kefu``: small functions that read the settings, call one thing and print.

An error is one line that says what, where and what to do; the exit status is then 2.
"""

from __future__ import annotations

import errno
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from bot.app.process.errors import KefuError
from bot.cli import command
from bot.cli.channels import channels
from bot.cli.command import (
    DATA,
    KB,
    alone,
    now,
    settings_and_data,
    with_storage,
)
from bot.cli.kb import kb
from connectors.errors import ConnectorError
from handoff.errors import HandoffError, StorageUnavailable
from knowledge_base.errors import KnowledgeBaseFailure
from storage.core.keyring import Keyring, KeyringError

WRONG = 2
_TOLD = (KefuError, KnowledgeBaseFailure, HandoffError, ConnectorError, KeyringError)


class _Told(click.Group):
    """Turns our own errors, and the machine's, into one line and exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except StorageUnavailable as error:
            told = f"数据库用不了，检查磁盘空间、文件权限和 KEFU_DATABASE_URL：{error}"
        except _TOLD as error:
            told = str(error)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read our output has seen enough; click ends quietly
            where = f"{error.filename}: " if error.filename else ""
            told = f"{where}用不了（{error.strerror or error}），检查路径、权限和磁盘空间"
        except MemoryError:
            told = "内存不够 (out of memory)，关掉别的程序，或换大一点的机器"
        except KeyboardInterrupt:
            ctx.exit(130)
        click.echo(f"kefu: {told}", err=True)
        raise click.exceptions.Exit(WRONG)


@click.group(cls=_Told, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kefu", prog_name="kefu")
def main() -> None:
    """Kefu 客服：卡店的聊天机器人和人工客服台。"""


main.add_command(kb)
main.add_command(channels)


# ---------------------------------------------------------------------- run and chat


@main.command()
@click.option("--demo", is_flag=True, help="带一个演示商店：订单、卡密各种情况都有")
@click.option("--host", help="监听地址（KEFU_HOST）")
@click.option("--port", type=int, help="端口（KEFU_PORT）")
@DATA
@KB
def run(
    *, demo: bool, host: str | None, port: int | None, data: Path | None, kb: Path | None
) -> None:
    """启动：聊天页面、人工客服台、机器人。"""
    settings = settings_and_data(data, kb, host=host, port=port)
    # imported here: the server's libraries would slow down every other command, and an error
    from bot.app.run import serve  # noqa: PLC0415

    serve(settings, is_demo=demo)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="一行一条消息输入，一行一个 JSON 输出")
@DATA
@KB
def chat(*, as_json: bool, data: Path | None, kb: Path | None) -> None:
    """在终端里和机器人聊天，并显示它的理由。"""
    from bot.cli.chat import chat_with, run_json, run_text  # noqa: PLC0415

    settings = settings_and_data(data, kb)

    async def talk() -> None:
        async with chat_with(settings) as conversation:
            await (run_json if as_json else run_text)(conversation)

    command.run(talk())


# ---------------------------------------------------------------------- agents


@main.group()
def agent() -> None:
    """客服账号。"""


@agent.command()
@click.argument("username")
@click.option("--name", help="顾客看到的名字；不填就用账号名")
@click.option("--role", type=click.Choice(["agent", "supervisor", "admin"]), default="agent")
@click.option("--password", help="不填就随机生成并打印")
@DATA
def add(
    *, username: str, name: str | None, role: str, password: str | None, data: Path | None
) -> None:
    """新增一个客服。"""
    import secrets  # noqa: PLC0415

    from handoff.auth.agents import Role, add_agent  # noqa: PLC0415

    chosen = password or secrets.token_urlsafe(9)
    settings = settings_and_data(data)

    async def work(storage: Any) -> None:
        await add_agent(
            storage,
            username=username,
            name=name or username,
            role=Role(role),
            password=SecretStr(chosen),
            now=now(),
        )
        click.echo(f"已新增客服 {username}" + ("" if password else f"，密码：{chosen}"))

    with_storage(settings, work)


@agent.command(name="list")
@DATA
def list_agents(*, data: Path | None) -> None:
    """列出客服。"""

    async def work(storage: Any) -> None:
        for found in await storage.read(lambda unit: unit.agents.all()):
            state = "已停用" if found.is_disabled else "正常"
            click.echo(f"{found.username}\t{found.name}\t{found.role.value}\t{state}")

    with_storage(settings_and_data(data), work)


@agent.command()
@click.argument("username")
@DATA
def disable(*, username: str, data: Path | None) -> None:
    """停用一个客服：马上退出登录，手里的会话回到排队。"""
    from handoff.auth.agents import disable_agent  # noqa: PLC0415

    async def work(storage: Any) -> None:
        await disable_agent(storage, username)
        click.echo(f"已停用 {username}")

    with_storage(settings_and_data(data), work)


@agent.command()
@click.argument("username")
@click.option("--password", help="不填就随机生成并打印")
@DATA
def password(*, username: str, password: str | None, data: Path | None) -> None:
    """改一个客服的密码。"""
    import secrets  # noqa: PLC0415

    from handoff.auth.agents import set_password  # noqa: PLC0415

    chosen = password or secrets.token_urlsafe(9)

    async def work(storage: Any) -> None:
        await set_password(storage, username, SecretStr(chosen))
        click.echo(f"已改 {username} 的密码" + ("" if password else f"：{chosen}"))

    with_storage(settings_and_data(data), work)


# ---------------------------------------------------------------------- db and shop


@main.group()
def db() -> None:
    """数据库和密钥。"""


@db.command(name="upgrade")
@DATA
def upgrade_database(*, data: Path | None) -> None:
    """把数据库升级到当前版本（启动时也会自动做）。"""
    from storage.core.schema import is_current, upgrade  # noqa: PLC0415

    settings = settings_and_data(data)
    with nullcontext() if is_current(settings.database) else alone(settings):
        click.echo("已升级" if upgrade(settings.database) else "已经是最新")


@db.command()
def new_key() -> None:
    """生成一个加密密钥（给 KEFU_SECRET_KEY 用）。"""
    click.echo(Keyring.new_key())


@db.command()
@DATA
def rotate_key(*, data: Path | None) -> None:
    """换加密密钥：用新密钥把所有加密内容重新封一遍。先停掉 kefu 再做。"""
    from bot.app.persistence.database import configured_keyring, key_file, opened_database  # noqa: PLC0415
    from storage.core.key_file import KeyFile  # noqa: PLC0415
    from storage.core.keys import reseal_all  # noqa: PLC0415

    settings = settings_and_data(data)
    with alone(settings):
        opened_database(settings)  # the right key for the right data, or nothing is touched
        if settings.secret_key is not None:
            # configured keys are changed where they are configured: new one first, then this
            count = reseal_all(settings.database, configured_keyring(settings))
            click.echo(f"已用第一个密钥重新加密 {count} 处；现在可以从 KEFU_SECRET_KEY 里去掉旧的")
            return
        file = KeyFile(key_file(settings))
        new = Keyring.new_key()
        # both are in the file before anything is sealed by the new one: a crash loses nothing
        file.replace([new, *file.read()])
        count = reseal_all(settings.database, configured_keyring(settings))
        file.replace([new])
    click.echo(f"已换新密钥，重新加密 {count} 处；请重新备份 {file.path}")


@db.command()
@click.argument("customer")
@click.option("--yes", "is_sure", is_flag=True, help="不再问一遍")
@DATA
def forget(*, customer: str, is_sure: bool, data: Path | None) -> None:
    """删除一位顾客的聊天和记录。CUSTOMER 写“渠道:账号:用户”，或者订单号（删查过这单的人）。"""
    from bot.cli.forget import forget_customer, found  # noqa: PLC0415
    from connectors.media.store import MediaStore  # noqa: PLC0415

    settings = settings_and_data(data)

    async def work(storage: Any) -> None:
        who = await found(storage, customer)
        for kept in who:
            click.echo(f"{kept.identity}：{kept.conversations} 个会话，{kept.messages} 条消息")
        click.echo(
            "里面的加密内容、文件和验证记录一起删，恢复不了；订单和卡密不动，备份要自己删，平台的原始数据几天内自动删。"
        )
        if not is_sure and not click.confirm("确定删除吗？"):
            click.echo("没有删除")
            return
        media = MediaStore(settings.data_dir / "media")
        for kept in who:
            await forget_customer(storage, media, kept.identity)
        click.echo("已删除")

    with_storage(settings, work)


@main.group()
def shop() -> None:
    """商店。"""


@shop.command()
@click.option("--json", "as_json", is_flag=True)
@DATA
def demo(*, as_json: bool, data: Path | None) -> None:
    """演示商店里有哪些订单和卡密可以试。"""
    from bot.app.demo import demo_of  # noqa: PLC0415

    made = demo_of(settings_and_data(data).data_dir, now()).as_json()
    if as_json:
        click.echo(json.dumps(made, ensure_ascii=False))
        return
    for situation, order in made["orders"].items():
        click.echo(
            f"{situation:<18}{order['number']}  {order['product']}  "
            f"查询密码 {order['query_password']}  联系方式 {order['contact']}"
        )
    for state, card in made["cards"].items():
        click.echo(f"{state:<18}{card['secret']}")
