"""``kefu channels init``: a new account, with the secrets that are ours to choose.

Nothing that stands anywhere is changed: lines are added to ``.env`` and to channels.yaml, and where
an account stands already the lines that it lacks are told.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.app.process.env_file import ENV_FILE, add_to_env, environment
from bot.app.process.errors import BadData
from bot.cli.channels_file import ChannelsFile, Known
from bot.cli.command import settings_of

if TYPE_CHECKING:
    from connectors.kit.account import Account
    from connectors.kit.setup import NewEntry, Secret

_FIELDS = {
    "self_id": "机器人登录的 QQ 号（onebot）",
    "app_id": "AppID（wechat、qq）",
    "corp_id": "企业 ID（wecom）",
    "open_kfid": "客服账号 ID（wecom）",
    "webhook_url": "kefu 把回复发到哪个网址（app）",
    "title": "客服台上显示的名字",
}
_SOMEWHERE = "https://kefu的网址"
_SOCKET_PATH = "/onebot/v11/ws"


def _options(command: click.decorators.FC) -> click.decorators.FC:
    for name, about in reversed(_FIELDS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, help=about)(command)
    return command


@click.command(name="init")
@click.argument("channel", required=False)
@click.option("--account", default="main", help="自己起的短名字，定了别改", show_default=True)
@_options
@click.option("--set", "more", multiple=True, metavar="名字=值", help="别的设置，可以写几个")
@click.option(
    "--ask/--no-ask", default=None, help="缺什么就问；不写就看是不是在终端里", show_default=False
)
@click.option("--channels", type=click.Path(path_type=Path), help="渠道文件（KEFU_CHANNELS）")
def init(
    *,
    channel: str | None,
    account: str,
    more: Sequence[str],
    ask: bool | None,
    channels: Path | None,
    **fields: str | None,
) -> None:
    """加一个渠道账号：写好 channels.yaml，生成密钥放进 .env，说明平台那边怎么填。"""
    settings = settings_of(channels=channels)
    file = ChannelsFile(settings.channels)
    if channel is None:
        file.start()
        click.echo(
            f"已写好 {file.path}，里面还没有账号。加一个：kefu channels init telegram"
            "（或 wechat、wecom、qq、onebot、app）"
        )
        return
    given = {name: value for name, value in fields.items() if value is not None}
    given |= dict(_pair(pair) for pair in more)
    is_asking = sys.stdin.isatty() if ask is None else ask
    places = Places(settings.public_url, settings.port)
    _Init(file, _known(channel), account, places, is_asking=is_asking).run(given)


def _known(channel: str) -> str:
    from connectors.kit.registry import CHANNELS  # noqa: PLC0415 - as every command loads its own

    if channel not in CHANNELS:
        raise BadData(f"没有 {channel} 这个渠道；有的是 {'、'.join(CHANNELS)}")
    return channel


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise BadData(f"--set {text}: 要写成 名字=值")
    return name.strip(), value.strip()


@dataclass(frozen=True, slots=True)
class Places:
    """Return the address of kefu."""

    public_url: str | None
    port: int

    def hook(self, channel: str, account: str) -> str:
        """The address that a platform calls."""
        return f"{self.public_url or _SOMEWHERE}/hooks/{channel}/{account}"

    def socket(self, path: str | None) -> str:
        """The address that a QQ client dials, most often from the same machine."""
        base = self.public_url or f"http://127.0.0.1:{self.port}"
        return base.replace("http", "ws", 1) + (path or _SOCKET_PATH)


class _Init:
    """One account on its way into the file."""

    def __init__(
        self, file: ChannelsFile, channel: str, account: str, places: Places, *, is_asking: bool
    ) -> None:
        self._file = file
        self._channel = channel
        self._account = account
        self._places = places
        self._is_asking = is_asking
        self._environment = environment()

    def run(self, given: Mapping[str, str]) -> None:
        known = self._file.account(self._channel, self._account)
        if known is not None:
            self._complete(known)
            return
        entry = self._entry(given)
        values = {secret.variable: self._value(secret) for secret in entry.secrets}
        account = self._checked(entry, given, values)
        new = self._new(entry.secrets, values)
        # the secrets first: an entry must never name a variable that nobody has written
        add_to_env(new)
        self._file.add(entry.text(self._file.indent()))
        click.echo(f"已写好 {self._file.path}：{self._channel}/{self._account}")
        self._show(entry.secrets, new)
        self._tell_steps(account)

    def _entry(self, given: Mapping[str, str]) -> NewEntry:
        from connectors.kit.setup import new_entry  # noqa: PLC0415

        entry = new_entry(self._channel, self._account, given)
        if not entry.asked:
            return entry
        if not self._is_asking:
            missing = "\n".join(
                f"    --{name.replace('_', '-')}  {about}" for name, about in entry.asked.items()
            )
            raise BadData(f"{self._channel} 还要告诉 kefu 这些，加上再运行一次：\n{missing}")
        answers = {name: click.prompt(about).strip() for name, about in entry.asked.items()}
        return self._entry({**given, **answers})

    def _value(self, secret: Secret) -> str | None:
        """Return what stands already, else a new one, else what the platform's page shows."""
        known = self._environment.get(secret.variable, "")
        if known.strip():
            return known
        if secret.made is not None or not self._is_asking:
            return secret.made
        asked: str = click.prompt(
            f"{secret.about}（粘贴，不会显示；回车跳过）",
            default="",
            hide_input=True,
            show_default=False,
        )
        return asked.strip() or None

    def _checked(
        self, entry: NewEntry, given: Mapping[str, str], values: Mapping[str, str | None]
    ) -> Account | None:
        """The account; ``None`` while a secret of the platform is still to come.

        Raises:
            BadData: A value is wrong; nothing has been written.
        """
        from pydantic import ValidationError  # noqa: PLC0415

        known = {secret.field: values[secret.variable] for secret in entry.secrets}
        told = {name: value for name, value in known.items() if value is not None}
        try:
            return entry.model.model_validate({"account": self._account, **given, **told})
        except ValidationError as error:
            # what the platform has to issue yet is not wrong; without it the whole is not judged
            judged = {"account", *given, *told, *({""} if len(told) == len(known) else ())}
            wrong = [
                fault
                for fault in error.errors(include_url=False)
                if str(fault["loc"][0] if fault["loc"] else "") in judged
            ]
        if wrong:
            variables = {secret.field: f"（{secret.variable}）" for secret in entry.secrets}
            name = ".".join(str(part) for part in wrong[0]["loc"])
            why = wrong[0]["msg"].removeprefix("Value error, ")
            about = entry.model.model_fields.get(name)
            hint = f"；这一项是：{about.description}" if about and about.description else ""
            raise BadData(f"{name}{variables.get(name, '')}: {why}{hint}" if name else why)
        return None

    def _new(self, secrets: Sequence[Secret], values: Mapping[str, str | None]) -> dict[str, str]:
        """Return what is to be written into ``.env``: nothing that stands there."""
        found = {secret.variable: values[secret.variable] for secret in secrets}
        return {
            name: value
            for name, value in found.items()
            if value is not None and value != self._environment.get(name)
        }

    def _show(self, secrets: Sequence[Secret], new: Mapping[str, str]) -> None:
        """Each new secret once; the platform's own are known to who pasted them."""
        for secret in secrets:
            if secret.variable in new:
                shown = secret.made or "（您刚粘贴的）"
                click.echo(f"    {secret.field}: {shown}    已写进 {ENV_FILE} 的 {secret.variable}")
            elif self._environment.get(secret.variable, "").strip():
                click.echo(f"    {secret.field}: 沿用已经有的 {secret.variable}")
            else:
                wanted = f"{ENV_FILE}：{secret.variable}=…（{secret.about}）"
                click.echo(f"    {secret.field}: 还没有。写进 {wanted}")
        if any(secret.made is not None and secret.variable in new for secret in secrets):
            click.echo(f"密钥只在这里显示一次，以后到 {ENV_FILE} 里看；不要发给别人。")

    def _complete(self, known: Known) -> None:
        """Make the secrets that an account which stands there lacks, and say which lines to add."""
        from connectors.kit.registry import account_model  # noqa: PLC0415
        from connectors.kit.setup import secrets_of  # noqa: PLC0415

        model = account_model(self._channel)
        there = {str(name): str(value) for name, value in known.values.items() if value}
        lacking = secrets_of(model, self._account, model.to_fill(there))
        where = f"{self._file.path}:{known.line}"
        if not lacking:
            raise BadData(
                f"{where}: 已经有 {self._channel}/{self._account} 了，没有动它。"
                "再加一个同样的渠道，用 --account 起别的名字"
            )
        values = {secret.variable: self._value(secret) for secret in lacking}
        new = self._new(lacking, values)
        add_to_env(new)
        click.echo(f"{where} 的 {self._channel}/{self._account} 缺这几行，请自己加在它下面：")
        for secret in lacking:
            click.echo(f"    {secret.line}")
        self._show(lacking, new)
        self._tell_steps(None)

    def _tell_steps(self, account: Account | None) -> None:
        from connectors.kit.registry import account_model  # noqa: PLC0415

        places = {
            "hook": self._places.hook(self._channel, self._account),
            "socket": self._places.socket(getattr(account, "path", None)),
        }
        click.echo("接下来：")
        for step in account_model(self._channel).steps:
            click.echo(f"  - {step.format(**places)}")
        click.echo("  - 重启 kefu，再运行 kefu channels check。")


__all__ = ["init"]
