"""Secrets in channels.yaml: their form, how ours are made, how they are compared.

Two kinds. A shared secret is agreed between us and the other side, and we choose it:
``kefu channels init`` makes one that nobody guesses, ``kefu channels check`` points out one that is
short, and what signs our own calls is refused then. An issued secret comes from the platform.
Neither is ever empty or holds a blank: that is a variable that is not set, or a slip in copying; an
empty secret lets everybody in.
"""

from __future__ import annotations

import hmac
import secrets
import string
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, get_args

from pydantic import AfterValidator, SecretStr
from pydantic.fields import FieldInfo

ENOUGH_CHARS = 16
"""16 letters and digits are 95 bits: beyond search, also for who recorded a signed call."""
MIN_TOKEN_CHARS = 3
"""The shortest that WeChat and WeCom take. Shops have such tokens; a change needs both sides."""
MIN_SOCKET_CHARS = 8
"""Beyond guessing for who has to ask us about each guess."""
_MIN_DIFFERENT = 6
_LETTERS = string.ascii_letters + string.digits
_MADE_CHARS = 32
_KEY_CHARS, _KEY_BYTES = 43, 32


@dataclass(frozen=True, slots=True)
class MadeByUs:
    """Marks a field whose secret we choose.

    Attributes:
        make: A new one.
    """

    make: Callable[[], str]


@dataclass(frozen=True, slots=True)
class IssuedByPlatform:
    """Marks a field whose secret the platform's owner page shows."""


def new_token() -> str:
    """32 letters and digits, which every platform takes as a token."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_MADE_CHARS))


def new_aes_key() -> str:
    """An EncodingAESKey: 43 letters and digits that are the Base64 of exactly 32 bytes."""
    # 43 characters are 258 bits: the last one may hold no more than four, the others are free
    last = "AEIMQUYcgkosw048"
    return "".join(secrets.choice(_LETTERS) for _ in range(_KEY_CHARS - 1)) + secrets.choice(last)


def is_same(given: str, expected: str) -> bool:
    """Compare what a stranger gave with a secret, in a time that tells nothing.

    Args:
        given: May hold anything that a header or an address can, lone surrogates included.
    """
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def _text(value: SecretStr) -> str:
    text = value.get_secret_value()
    if not text.strip():
        raise ValueError("是空的，要填上")
    if any(not "!" <= char <= "~" for char in text):
        raise ValueError("只能用英文字母、数字和符号，中间和前后都不能有空格")
    return text


def _shared(value: SecretStr) -> SecretStr:
    _text(value)
    return value


def _at_least(value: SecretStr, chars: int) -> SecretStr:
    if len(_text(value)) < chars:
        raise ValueError(f"太短，至少 {chars} 个字符")
    return value


def _socket(value: SecretStr) -> SecretStr:
    return _at_least(value, MIN_SOCKET_CHARS)


def _signing(value: SecretStr) -> SecretStr:
    if is_weak(_at_least(value, ENOUGH_CHARS)):
        raise ValueError("太简单，别人猜得到，换一串随机的")
    return value


def _token(value: SecretStr) -> SecretStr:
    text = _text(value)
    if not MIN_TOKEN_CHARS <= len(text) <= _MADE_CHARS or not text.isalnum():
        raise ValueError(f"只能用英文字母和数字，{MIN_TOKEN_CHARS} 到 {_MADE_CHARS} 个")
    return value


def _aes_key(value: SecretStr) -> SecretStr:
    key = _text(value)
    try:
        is_key = len(key) == _KEY_CHARS and len(b64decode(key + "=")) == _KEY_BYTES
    except ValueError:
        is_key = False
    if not is_key or not key.isalnum():
        raise ValueError("应该是 43 个字母和数字，请从平台的后台重新复制")
    return value


def is_weak(value: SecretStr) -> bool:
    """Tell whether a shared secret is short or simple enough to be guessed."""
    text = value.get_secret_value()
    return len(text) < ENOUGH_CHARS or len(set(text)) < _MIN_DIFFERENT


SigningSecret = Annotated[SecretStr, AfterValidator(_signing), MadeByUs(new_token)]
"""Ours to choose; signs calls, so that it can be searched for by who has recorded one."""
SharedSecret = Annotated[SecretStr, AfterValidator(_shared), MadeByUs(new_token)]
"""Ours to choose, sent with each call."""
SocketToken = Annotated[SecretStr, AfterValidator(_socket), MadeByUs(new_token)]
"""Ours to choose, sent when a socket is opened."""
CallbackToken = Annotated[SecretStr, AfterValidator(_token), MadeByUs(new_token)]
"""Ours to choose, in the form that WeChat and WeCom take.

Source: 接入指南 of the Official Account platform: 3 to 32 letters and digits (November 2026).
"""
AesKey = Annotated[SecretStr, AfterValidator(_aes_key), MadeByUs(new_aes_key)]
"""An EncodingAESKey.

Source: 消息加解密说明: 43 characters of a-z, A-Z, 0-9.
"""
IssuedSecret = Annotated[SecretStr, AfterValidator(_shared), IssuedByPlatform()]
"""The platform's; whether it is whole, the platform tells (``kefu channels check``)."""


def origin_of(field: FieldInfo) -> MadeByUs | IssuedByPlatform | None:
    """Return the origin of a field's secret; ``None`` for a field that is none."""
    # of ``SharedSecret | None`` pydantic leaves the marks where they stand
    nested = (mark for part in get_args(field.annotation) for mark in _marks(part))
    marks = (*field.metadata, *nested)
    return next((one for one in marks if isinstance(one, MadeByUs | IssuedByPlatform)), None)


def _marks(annotation: object) -> tuple[object, ...]:
    found: tuple[object, ...] = getattr(annotation, "__metadata__", ())
    return found


__all__ = [
    "AesKey",
    "CallbackToken",
    "IssuedByPlatform",
    "IssuedSecret",
    "MadeByUs",
    "SharedSecret",
    "SigningSecret",
    "SocketToken",
    "is_same",
    "is_weak",
    "new_aes_key",
    "new_token",
    "origin_of",
]
