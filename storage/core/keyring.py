"""The keys that seal what must not be read from a stolen database file.

Values are sealed with Fernet (AES-128-CBC with HMAC-SHA256, the ``cryptography`` package's recipe);
look-ups go through a keyed hash, so that equal values can be found without being opened.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class KeyringError(Exception):
    """A key is missing, malformed or not the one that sealed the data."""


class Keyring:
    """Seals, opens and looks up; the first key seals, all of them open.

    Args:
        keys: Fernet keys (32 bytes, URL-safe base64), the newest first.
        root: What look-ups and tokens are keyed with. It is kept in the database, sealed, so that
            the keys can be rotated without losing either; ``None`` derives it from the oldest key.

    Raises:
        KeyringError: There is no key, or one is no Fernet key.
    """

    __slots__ = ("_blind_key", "_fernet", "_keys")

    def __init__(self, keys: Sequence[str], root: bytes | None = None) -> None:
        if not keys:
            raise KeyringError(
                "KEFU_SECRET_KEY: 里面没有密钥 (no key)；用 kefu db new-key 生成一个"
            )
        try:
            fernets = [Fernet(key.encode()) for key in keys]
        except ValueError:
            raise KeyringError(
                "KEFU_SECRET_KEY: 这不是密钥 (is no key)；用 kefu db new-key 生成一个，并保管好"
            ) from None
        self._fernet = MultiFernet(fernets)
        self._keys = tuple(keys)
        self._blind_key = root or hmac.digest(keys[-1].encode(), b"kefu blind index", "sha256")

    def with_root(self, root: bytes) -> Keyring:
        """The same keys, look-ups keyed by this root."""
        return Keyring(self._keys, root)

    @staticmethod
    def new_key() -> str:
        """A fresh random key."""
        return Fernet.generate_key().decode()

    def seal(self, text: str) -> bytes:
        """The text, encrypted under the newest key."""
        return self._fernet.encrypt(text.encode())

    def resealed(self, blob: bytes) -> bytes:
        """Seal anew, by the newest key, what any of our keys sealed.

        Raises:
            KeyringError: No key of ours sealed it.
        """
        try:
            return self._fernet.rotate(blob)
        except InvalidToken:
            raise KeyringError(
                "有加密内容打不开，缺了封它的密钥 (a key is missing)："
                "把旧密钥加回 secret.key 或 KEFU_SECRET_KEY，再试一次"
            ) from None

    def open(self, blob: bytes) -> str:
        """The sealed text.

        Raises:
            KeyringError: No key of ours sealed it, or it was changed.
        """
        try:
            return self._fernet.decrypt(blob).decode()
        except InvalidToken:
            raise KeyringError(
                "密钥和数据不是一对 (this KEFU_SECRET_KEY did not seal it)："
                "放回原来的 secret.key，或检查 KEFU_SECRET_KEY"
            ) from None

    def blind(self, text: str, purpose: str) -> bytes:
        """A keyed hash of 32 bytes: equal texts of one purpose are equal, no more can be told."""
        return hmac.digest(self._blind_key, purpose.encode() + b"\0" + text.encode(), sha256)

    def token_key(self, purpose: str) -> bytes:
        """A key of 32 bytes for signing tokens of one purpose."""
        return hmac.digest(self._blind_key, b"token\0" + purpose.encode(), sha256)
