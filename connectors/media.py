"""Files that people send: checked by content, kept in the media folder, never executed.

Only the four image formats that every browser shows are taken. What a file claims to be (its name,
its declared type) is not looked at.
"""

from __future__ import annotations

import io
import secrets
import warnings
from pathlib import Path

from connectors.errors import ConnectorError
from connectors.messages import Attachment

MAX_IMAGE_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""A picture of 40 kB can unpack to gigabytes; more pixels than a camera has are refused unread."""
_MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}


class BadFile(ConnectorError):
    """A file was refused.

    Attributes:
        code: ``too_large`` or ``not_an_image``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MediaStore:
    """The media folder. Blocking: call it through ``asyncio.to_thread``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

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
        mime, width, height = _inspect(content)
        attachment = Attachment(
            id=key or secrets.token_hex(16),
            kind="image",
            mime=mime,
            size=len(content),
            name="".join(char for char in name if char.isprintable())[:120],
            width=width,
            height=height,
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / attachment.id).write_bytes(content)
        return attachment

    def path(self, attachment_id: str) -> Path | None:
        """Where the bytes lie; ``None`` if there are none by this id."""
        if not attachment_id.isalnum():
            return None
        path = self._folder / attachment_id
        return path if path.is_file() else None


def _inspect(content: bytes) -> tuple[str, int, int]:
    # imported at the first upload: it costs 15 MB that a shop without pictures need not pay
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - see above

    try:
        with warnings.catch_warnings():
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
