"""channels.yaml: which accounts there are. Errors say what, on which line, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from connectors.errors import BadChannels
from connectors.kit.account import Account
from connectors.kit.registry import CHANNELS, account_model

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MAX_BYTES = 1_000_000
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands for a value that is known to be wrong already."""
_KINDS = {
    "missing": "还没填，加上这一行",
    "extra_forbidden": "没有这一项",
    "string_type": "要写成文字（前后加上引号）",
    "literal_error": "不是能选的值",
    "bool_parsing": "只能填 true 或 false",
    "int_parsing": "要填整数",
    "float_parsing": "要填数字",
    "int_type": "要填整数",
    "float_type": "要填数字",
    "bool_type": "只能填 true 或 false",
    "list_type": "要写成一列，每条以 - 开头",
    "tuple_type": "要写成一列，每条以 - 开头",
    "url_parsing": "不是网址",
    "url_scheme": "网址要以 http:// 或 https:// 开头",
    "string_pattern_mismatch": "格式不对",
    "too_short": "太短，至少 {min_length} 个字",
    "string_too_short": "太短，至少 {min_length} 个字",
    "too_long": "太长，最多 {max_length} 个字",
    "string_too_long": "太长，最多 {max_length} 个字",
    "greater_than": "要大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "要小于 {lt}",
    "less_than_equal": "不能大于 {le}",
}


def read_channels(path: Path, environment: Mapping[str, str]) -> tuple[Account, ...]:
    """The accounts in a file, those switched off left out.

    Args:
        environment: What ``${NAME}`` in a value stands for.

    Returns:
        In the file's order; empty where there is no such file.

    Raises:
        BadChannels: It cannot be read, an entry is wrong, or a variable is not set; a line for each
            mistake. No value is repeated: it may be a secret.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BadChannels(f"{path}: 打不开（{error.strerror}），检查文件权限") from None
    if len(text) > _MAX_BYTES:
        raise BadChannels(f"{path}: 文件太大，这里只该写渠道账号")
    return _File(path, environment).accounts(text)


class _File:
    """One reading of the file: remembers where things stand."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment
        self._mistakes: list[tuple[int, str]] = []

    def accounts(self, content: bytes) -> tuple[Account, ...]:
        root = self._parsed(content)
        if root is None:
            return ()
        found: dict[tuple[str, str], int] = {}
        accounts: list[Account] = []
        for node in self._entries(root):
            if _is_off(node):
                continue  # it may lack its secrets
            account = self._account(node)
            if account is None:
                continue
            key = (account.channel, account.account)
            if key in found:
                self._note(
                    node,
                    f"{account.channel} 的 account: {account.account} 和第 {found[key]} 行重复，"
                    "换一个名字",
                )
            found[key] = node.start_mark.line + 1
            accounts.append(account)
        if self._mistakes:
            raise BadChannels("\n".join(text for _, text in sorted(self._mistakes)))
        return tuple(accounts)

    def _parsed(self, content: bytes) -> yaml.Node | None:
        try:
            text = content.decode("utf-8-sig")
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except UnicodeDecodeError:
            raise BadChannels(f"{self._path}: 不是 UTF-8 编码，请另存为 UTF-8") from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark is not None else 1
            raise BadChannels(
                f"{self._path}:{line}: YAML 格式不对，多半是缩进、冒号后的空格或引号"
            ) from None
        except yaml.YAMLError:
            raise BadChannels(f"{self._path}: 里面有不能用的字符，删掉再试") from None

    def _entries(self, root: yaml.Node) -> Sequence[yaml.MappingNode]:
        if not isinstance(root, yaml.MappingNode):
            raise self._wrong(root, "最外层要写 channels: ，下面每个账号一条，以 - 开头")
        for key, _ in root.value:
            if key.value != "channels":
                raise self._wrong(key, f"{key.value}: 没有这一项，最外层只有 channels:")
        entries = root.value[0][1] if root.value else None
        if entries is None or (isinstance(entries, yaml.ScalarNode) and not entries.value):
            return []
        if not isinstance(entries, yaml.SequenceNode):
            raise self._wrong(entries, "channels: 下面每个账号一条，以 - 开头")
        for entry in entries.value:
            if not isinstance(entry, yaml.MappingNode):
                raise self._wrong(entry, "每个账号要写成 channel: …、account: … 这样的几行")
        return list(entries.value)

    def _account(self, node: yaml.MappingNode) -> Account | None:
        before = len(self._mistakes)
        values = {key.value: self._value(value) for key, value in node.value}
        channel = values.get("channel")
        if channel not in CHANNELS:
            where = next((key for key, _ in node.value if key.value == "channel"), node)
            near = get_close_matches(str(channel), CHANNELS, n=1)
            hint = f"，是不是 {near[0]}" if near else ""
            self._note(where, f"channel: 只能是 {'、'.join(CHANNELS)}{hint}")
            return None
        model = account_model(str(channel))
        try:
            account = model.model_validate(values)
        except ValidationError as error:
            self._explain(node, model, error)
            return None
        return account if len(self._mistakes) == before else None

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return {key.value: self._value(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self._value(one) for one in node.value]
        if isinstance(node, yaml.ScalarNode) and "${" in node.value:
            return _VARIABLE.sub(lambda found: self._variable(node, found[1]), node.value)
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node, deep=True)
        except yaml.YAMLError:
            self._note(node, "这个值读不懂，前后加上引号试试")
            return _UNKNOWN
        finally:
            loader.dispose()

    def _variable(self, node: yaml.Node, name: str) -> str:
        value = self._environment.get(name)
        if value is not None and value.strip():
            return value
        why = "没有设置" if value is None else "是空的"
        self._note(node, f"环境变量 {name} {why}：在 .env 里写一行 {name}=… 再启动")
        return _UNKNOWN

    def _explain(
        self, node: yaml.MappingNode, model: type[Account], error: ValidationError
    ) -> None:
        known = {key.value: (key, value) for key, value in node.value}
        for problem in error.errors(include_url=False):
            if _UNKNOWN in str(problem["input"]):
                continue  # it is told already that its variable is not set
            name = ".".join(str(part) for part in problem["loc"])
            first = str(problem["loc"][0]) if problem["loc"] else ""
            place = known[first][0] if first in known else node
            kind = _KINDS.get(problem["type"] if problem["input"] is not None else "missing")
            why = (
                kind.format_map(problem.get("ctx", {}))
                if kind is not None
                else problem["msg"].removeprefix("Value error, ")
            )
            if problem["type"] == "extra_forbidden":
                near = get_close_matches(name, model.model_fields, n=1)
                why = f"{why}，是不是 {near[0]}" if near else why
            field = model.model_fields.get(first)
            about = f"（{field.description}）" if field is not None and field.description else ""
            self._note(place, f"{name}: {why}{about}" if name else why)

    def _note(self, node: yaml.Node, text: str) -> None:
        line = node.start_mark.line + 1
        self._mistakes.append((line, f"{self._path}:{line}: {text}"))

    def _wrong(self, node: yaml.Node, text: str) -> BadChannels:
        return BadChannels(f"{self._path}:{node.start_mark.line + 1}: {text}")


def _is_off(node: yaml.MappingNode) -> bool:
    return any(
        key.value == "enabled" and str(value.value).lower() in {"false", "no", "off"}
        for key, value in node.value
    )
