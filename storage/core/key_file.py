"""``secret.key``: the keys of a data folder whose admin configured none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from connectors.media.files import strays, write_file
from storage.core.keyring import Keyring, KeyringError


class KeyFile:
    """A file of keys, one a line, the newest first."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[str, ...]:
        """The keys; none where the file is missing or empty.

        Raises:
            KeyringError: It cannot be read.
        """
        try:
            return tuple(self.path.read_text(encoding="ascii").split())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise KeyringError(
                f"{self.path}: 密钥文件读不了（{error.strerror}），检查它的主人和权限"
            ) from error
        except ValueError:
            raise KeyringError(f"{self.path}: 不是密钥文件，请把备份的那一份放回来") from None

    def make(self) -> tuple[str, ...]:
        """Make a first key, or read the one that another process has just made.

        Raises:
            KeyringError: It cannot be written.
        """
        try:
            # two first starts must not each seal with a key of their own
            with FileLock(self.path.with_suffix(".lock")):
                keys = self.read()
                if not keys:
                    for stray in strays(self.path.parent, self.path.name):
                        stray.unlink(missing_ok=True)
                    keys = (Keyring.new_key(),)
                    write_file(self.path, _lines(keys))
                return keys
        except OSError as error:
            raise self._unwritten(error) from error

    def replace(self, keys: Sequence[str]) -> None:
        """Put other keys in place of those that are there, in one step.

        Raises:
            KeyringError: It cannot be written; the old ones are still there.
        """
        try:
            write_file(self.path, _lines(keys))
        except OSError as error:
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> KeyringError:
        return KeyringError(
            f"{self.path}: 密钥文件写不了（{error.strerror}），检查磁盘空间和目录权限"
        )


def _lines(keys: Sequence[str]) -> bytes:
    return ("\n".join(keys) + "\n").encode()
