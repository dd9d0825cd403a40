"""Agents' passwords: argon2id, off the event loop and outside every transaction."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from handoff.errors import HandoffError

MIN_CHARS = 8
MAX_CHARS = 200
HASHER = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)
"""19 MiB, 2 passes, 1 lane. RFC 9106's profile (64 MiB, 3 passes, 4 lanes) costs five times the CPU
on every stranger's try too, at the expense of customers who share the machine.

Source: OWASP Password Storage Cheat Sheet, Argon2id, read 2026-11.
"""
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$VtpIndAw4z2iZE5uW7tsjw$"
    "x9iqhNZxXTKsz7XivlCbGxYgpGM4rqPkuWDCsTix2zU"
)
"""Of a random text that was thrown away. Written down, not made when first needed: the first
unknown user would take twice as long as a known one."""


class WeakPassword(HandoffError):
    """The password is too short or absurdly long; the text says so, in Chinese."""


async def hashed(password: SecretStr) -> str:
    """The password's hash, with its parameters and salt.

    Raises:
        WeakPassword: Fewer than 8 characters, or more than 200.
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


async def renewed(password: SecretStr, password_hash: str) -> str | None:
    """The right password's new hash; ``None`` if the stored one has today's parameters.

    Hashes with others take another time than an unknown user's, which tells who exists.
    """
    if not HASHER.check_needs_rehash(password_hash):
        return None
    return await asyncio.to_thread(_hash, password)


def _hash(password: SecretStr) -> str:
    return HASHER.hash(password.get_secret_value())


def _verify(password: SecretStr, password_hash: str | None) -> bool:
    try:
        return HASHER.verify(password_hash or NOBODYS_HASH, password.get_secret_value()) and (
            password_hash is not None
        )
    except (VerificationError, InvalidHashError):
        return False
