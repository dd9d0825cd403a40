"""Query passwords (取卡密码): a slow hash, and one effort for every answer."""

from __future__ import annotations

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

LONGEST = 128
"""Characters; nothing longer was ever stored."""
HASHER_MEMORY_KIB = 19_456
HASHER_PASSES = 2
HASHER_LANES = 1


def query_password_hasher() -> PasswordHasher:
    """Argon2id with the least that is recommended: 19 MiB, 2 passes, 1 lane.

    Source: OWASP Password Storage Cheat Sheet, Argon2id, read 2026-11.
    """
    return PasswordHasher(
        memory_cost=HASHER_MEMORY_KIB, time_cost=HASHER_PASSES, parallelism=HASHER_LANES
    )


class Passwords:
    """Hashes and checks query passwords. Slow on purpose: call it in a thread.

    Args:
        hasher: Argon2id; stored hashes should have its parameters, or their checks take another
            time than the check of an order that does not exist.
    """

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._nobodys_hash = hasher.hash(secrets.token_urlsafe(24))

    def hash(self, password: SecretStr) -> str:
        """The hash to store.

        Raises:
            ValueError: The password is empty or too long: it could never be given.
        """
        prepared = _prepared(password)
        if not prepared or len(prepared) > LONGEST:
            raise ValueError(f"a query password has 1 to {LONGEST} characters")
        return self._hasher.hash(prepared)

    def matches(self, stored: str | None, given: SecretStr) -> bool:
        """Whether the password is right. Exactly one hash is computed, whatever the answer.

        Args:
            stored: The order's hash; ``None`` or empty where the order has none or does not exist,
                which nothing satisfies.
            given: What was typed; an empty one satisfies nothing.
        """
        prepared = _prepared(given)
        is_possible = bool(stored) and 0 < len(prepared) <= LONGEST
        # an order without a password, an unknown order and a wrong password cost the same
        hash_ = stored if is_possible and stored else self._nobodys_hash
        try:
            self._hasher.verify(hash_, prepared[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return is_possible


def _prepared(password: SecretStr) -> str:
    """As it is hashed: full-width letters folded, white space around it dropped."""
    return unicodedata.normalize("NFKC", password.get_secret_value()).strip()
