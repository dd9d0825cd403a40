"""Agents' passwords: argon2id, off the event loop and outside every transaction."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from handoff.errors import HandoffError

MIN_CHARS = 8
MAX_CHARS = 200
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$kDqbii/3jIuKn7HZUgZp6Q$"
    "hFLRTihUlZx0fxFHgjNmwtXaCtOq40adujaNO2KRlr0"
)
"""Of a random text that was thrown away. Written down, not made when first needed: the first
unknown user would take twice as long as a known one."""


class WeakPassword(HandoffError):
    """The password is too short or absurdly long; the text says so, in Chinese."""


async def hashed(password: SecretStr) -> str:
    """The password's hash, with its parameters and salt.

    Raises:
        WeakPassword: Fewer than 8 characters, or more than 200.

    Source: argon2-cffi's defaults, RFC 9106's low-memory profile (64 MiB, 3 passes, 4 lanes).
    """
    if not MIN_CHARS <= len(password.get_secret_value()) <= MAX_CHARS:
        raise WeakPassword(f"密码要 {MIN_CHARS}–{MAX_CHARS} 位")
    return await asyncio.to_thread(_hash, password)


async def is_right(password: SecretStr, password_hash: str | None) -> bool:
    """Whether the password is the one that was hashed.

    Args:
        password_hash: ``None`` for an unknown user: it then takes as long and is wrong, so that
            nobody learns from the time who exists.
    """
    if len(password.get_secret_value()) > MAX_CHARS:
        return False
    return await asyncio.to_thread(_verify, password, password_hash)


def _hash(password: SecretStr) -> str:
    return PasswordHasher().hash(password.get_secret_value())


def _verify(password: SecretStr, password_hash: str | None) -> bool:
    try:
        return PasswordHasher().verify(
            password_hash or NOBODYS_HASH, password.get_secret_value()
        ) and (password_hash is not None)
    except (VerificationError, InvalidHashError):
        return False
