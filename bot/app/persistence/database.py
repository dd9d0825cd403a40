"""Opening the database of these settings alone, and the keys to what is sealed in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from bot.app.process.data_folder import open_folder
from bot.app.process.data_lock import exclusive
from bot.app.settings import Settings
from storage.core.claim import Claim, claim_to
from storage.core.key_file import KeyFile
from storage.core.keyring import Keyring, KeyringError
from storage.core.keys import is_sealed, rooted
from storage.core.schema import upgrade


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[Claim]:
    """Keep every other kefu off the data folder and the database while the block runs.

    Raises:
        DataInUse: One has the data folder.
        DatabaseInUse: One has the database, perhaps from another data folder.
        StorageUnavailable: The database cannot be used.
    """
    with exclusive(settings.data_dir):
        claim = claim_to(settings.database)
        try:
            await asyncio.to_thread(claim.take)
            yield claim
        finally:
            claim.release()


def opened_database(settings: Settings) -> Keyring:
    """Bring the database up to date, and return the keyring that opens it. Blocking.

    Raises:
        BadData: The data folder cannot be used.
        StorageUnavailable: The database cannot be used.
        KeyringError: The key is lost, or not the one that this data was made with.
    """
    open_folder(settings.data_dir)
    keyring = configured_keyring(settings)
    upgrade(settings.database)
    return rooted(settings.database, keyring)


def configured_keyring(settings: Settings) -> Keyring:
    """Return the configured keys, or those of the data folder, without a database's root.

    A key is made for a database in which nothing is sealed yet, and for no other: whatever the
    lost one sealed would never open again, and nobody would know until they need it.

    Raises:
        KeyringError: The key is lost or damaged.
        StorageUnavailable: There is no key, and the database cannot be looked at.
    """
    if settings.secret_key is not None:
        return Keyring(_split(settings.secret_key))
    file = KeyFile(key_file(settings))
    keys = file.read()
    if not keys:
        if is_sealed(settings.database):
            raise KeyringError(
                f"{file.path}: 密钥不见了 (the key is lost)，数据库里的卡密、联系方式要靠它打开。"
                "请把备份的 secret.key 放回来；没有备份、要从头开始，"
                "就先把原来的数据库挪走（也就不要了），再启动"
            )
        keys = file.make()
    try:
        return Keyring(keys)
    except KeyringError as error:
        raise KeyringError(f"{file.path}: 里面不是密钥 (no key)，请把备份的那一份放回来") from error


def _split(configured: SecretStr) -> tuple[str, ...]:
    return tuple(key.strip() for key in configured.get_secret_value().split(",") if key.strip())


def key_file(settings: Settings) -> Path:
    """Return the file in which keys are kept that nobody configured."""
    return settings.data_dir / "secret.key"
