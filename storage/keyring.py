"""The keys that seal what must not be read from a stolen database file.

Values are sealed with Fernet (AES-128-CBC with HMAC-SHA256, the ``cryptography`` package's recipe);
look-ups go through a keyed hash, so that equal values can be found without being opened.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

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
            raise KeyringError("no secret key: set KEFU_SECRET_KEY or let kefu make one")
        try:
            fernets = [Fernet(key.encode()) for key in keys]
        except ValueError:
            raise KeyringError(
                "KEFU_SECRET_KEY is no key: make one with `kefu db new-key` and keep it safe"
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

    @classmethod
    def of(cls, configured: str | None, key_file: Path) -> Keyring:
        """The configured keys (comma-separated, newest first), else those of the data folder.

        Raises:
            KeyringError: The file cannot be read or made, or holds no key.
        """
        if configured:
            return cls([key.strip() for key in configured.split(",") if key.strip()])
        try:
            if not key_file.exists():
                key_file.parent.mkdir(parents=True, exist_ok=True)
                # O_EXCL: two first starts must not overwrite each other's key
                handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w") as file:
                    file.write(cls.new_key() + "\n")
            return cls(key_file.read_text().split())
        except OSError as error:
            raise KeyringError(f"{key_file}: {error.strerror}; check the data folder") from error

    def seal(self, text: str) -> bytes:
        """The text, encrypted under the newest key."""
        return self._fernet.encrypt(text.encode())

    def resealed(self, blob: bytes) -> bytes:
        """What was sealed by any of our keys, sealed by the newest.

        Raises:
            KeyringError: No key of ours sealed it.
        """
        try:
            return self._fernet.rotate(blob)
        except InvalidToken:
            raise KeyringError("a sealed value does not open: a key is missing") from None

    def open(self, blob: bytes) -> str:
        """The sealed text.

        Raises:
            KeyringError: No key of ours sealed it, or it was changed.
        """
        try:
            return self._fernet.decrypt(blob).decode()
        except InvalidToken:
            raise KeyringError(
                "a sealed value does not open: this KEFU_SECRET_KEY did not seal it"
            ) from None

    def blind(self, text: str, purpose: str) -> bytes:
        """A keyed hash of 32 bytes: equal texts of one purpose are equal, no more can be told."""
        return hmac.digest(self._blind_key, purpose.encode() + b"\0" + text.encode(), sha256)

    def token_key(self, purpose: str) -> bytes:
        """A key of 32 bytes for signing tokens of one purpose."""
        return hmac.digest(self._blind_key, b"token\0" + purpose.encode(), sha256)
