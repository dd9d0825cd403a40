"""Files that people send: checked by content, kept in the media folder, never executed.

What a file claims to be (its name, its declared type) is not looked at: the four image formats that
every browser shows are images, known sounds and films are told by their first bytes, and anything
else is a file to download and nothing more. The shop's page takes images alone.

Of a picture nothing is written that its taker did not mean to send: where and when it was taken, by
what, what it was cut from (``connectors.media.metadata``). Files that are no pictures stay as they
are.
"""

from __future__ import annotations

import io
import secrets
import shutil
import threading
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

from connectors.errors import ConnectorError
from connectors.media.files import strays, write_file
from connectors.media.metadata import OddPicture, stripped
from connectors.messages import Attachment

MAX_IMAGE_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""A picture of 40 kB can unpack to gigabytes; more pixels than a camera has are refused unread."""
MIN_FREE_BYTES = 200 * 1024 * 1024
"""What files leave of the disk: the database needs it more."""
_SOUNDS = (
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"#!SILK", "audio/silk"),
    (b"\x02#!SILK", "audio/silk"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"RIFF", "audio/wav"),
)
_BOX = b"ftyp"
"""ISO base media: at byte 4, before the brand."""
_WEBP = b"WEBP"
_OTHER = "application/octet-stream"
_MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}


class BadFile(ConnectorError):
    """A file was refused.

    Attributes:
        code: ``too_large``, ``too_slow``, ``empty``, ``not_an_image``, or what leaves no room for
            it: ``customer_quota``, ``source_quota``, ``no_room``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MediaStore:
    """The media folder. Blocking: call it through ``asyncio.to_thread``.

    Args:
        named: A file's name as it may be stored and shown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        named: Callable[[str], str] = str,
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> None:
        self._folder = folder
        self._named = named
        self._min_free_bytes = min_free_bytes
        # one picture at a time: four large ones side by side would take a small server's memory
        self._cleaning = threading.Lock()

    def save(self, content: bytes, name: str = "", key: str | None = None) -> Attachment:
        """Keep an image.

        Args:
            content: The file's bytes.
            name: As the sender called it; shown, never used as a path.
            key: Its id, letters and digits; ``None`` for one that nobody can guess.

        Raises:
            BadFile: It is too large, or its content is none of PNG, JPEG, GIF, WebP.
        """
        if len(content) > MAX_IMAGE_BYTES:
            raise BadFile("too_large")
        return self._picture(content, name, key or new_key())

    def keep(self, content: bytes, name: str, key: str, max_bytes: int) -> Attachment:
        """Keep any file that a customer sent on a channel; what it is, is told by content.

        Raises:
            BadFile: It is too large or empty.
        """
        if not content or len(content) > max_bytes:
            raise BadFile("too_large" if content else "empty")
        try:
            return self._picture(content, name, key)
        except BadFile as error:
            if error.code == "too_large":
                raise
            kind, mime = _sound_or_film(content)
            found = Attachment(key, kind, mime, len(content), self._shown(name))
        return self._written(found, content)

    def has_room(self, size: int) -> bool:
        """Tell whether the disk has room for so many bytes, and some to spare."""
        folder = self._folder
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free - size >= self._min_free_bytes

    def _picture(self, content: bytes, name: str, key: str) -> Attachment:
        with self._cleaning:
            mime, _, _ = _inspect(content)
            try:
                content = stripped(content, mime)
            except (OddPicture, OSError, ValueError, SyntaxError):
                raise BadFile("not_an_image") from None
            # a picture that was turned has other measures
            mime, width, height = _inspect(content)
        found = Attachment(key, "image", mime, len(content), self._shown(name), width, height)
        return self._written(found, content)

    def _shown(self, name: str) -> str:
        return self._named("".join(char for char in name if char.isprintable())[:120])

    def _written(self, attachment: Attachment, content: bytes) -> Attachment:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(self._folder / attachment.id, content)
        return attachment

    def remove(self, attachment_ids: Iterable[str]) -> None:
        """Delete files; those that are gone already are no matter."""
        for attachment_id in attachment_ids:
            path = self.path(attachment_id)
            if path is not None:
                path.unlink(missing_ok=True)

    def left_before(self, before: float) -> list[str]:
        """Ids of the files that were written before a moment (seconds since 1970).

        What a killed process left half-written by then is deleted on the way.
        """
        if not self._folder.is_dir():
            return []
        for stray in strays(self._folder):
            if stray.stat().st_mtime < before:
                stray.unlink(missing_ok=True)
        return [
            file.name
            for file in self._folder.iterdir()
            if file.name.isalnum() and file.is_file() and file.stat().st_mtime < before
        ]

    def path(self, attachment_id: str) -> Path | None:
        """Where the bytes lie; ``None`` if there are none by this id."""
        if not attachment_id.isalnum():
            return None
        path = self._folder / attachment_id
        return path if path.is_file() else None


def new_key() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(16)


def _sound_or_film(content: bytes) -> tuple[str, str]:
    if content[4:8] == _BOX:
        return ("voice", "audio/mp4") if content[8:11] == b"M4A" else ("video", "video/mp4")
    for sign, mime in _SOUNDS:
        if content.startswith(sign) and content[8:12] != _WEBP:
            return "voice", mime
    return "file", _OTHER


def _inspect(content: bytes) -> tuple[str, int, int]:
    # imported at the first upload: it costs 15 MB that a shop without pictures need not pay
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - see above

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged notes beside the picture
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(_MIME)) as image:
                width, height = image.size
                if width * height > MAX_PIXELS or image.format is None:
                    raise BadFile("too_large")
                mime = _MIME[image.format]
                image.verify()
    except (
        UnidentifiedImageError,
        Image.DecompressionBombWarning,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,  # Pillow's word for a broken PNG
        ValueError,
    ):
        raise BadFile("not_an_image") from None
    return mime, width, height
