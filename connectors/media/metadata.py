"""Takes out of a picture what its taker did not mean to send: place, time, camera, previews.

The four formats are lists of parts, so the parts that tell something are left out and the image
itself is not touched. It is encoded anew only where a phone noted that it is to be turned, or where
its parts cannot be told apart.

Source: JPEG, ITU-T T.81 (1992) annex B; PNG, W3C Recommendation 2025-06-24, 5 and 11; GIF89a (1990)
17-26; WebP, RFC 9649 (2024) 2.7.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_TURNED_PIXELS = 25_000_000
"""A larger picture is not decoded to be turned: it keeps a note of its orientation, and no other.

25 megapixels take 75 MB and about a second; a photograph of 50 would take both twice.
"""
UPRIGHT = 1
_ORIENTATION = 0x0112
_QUALITY = 92
_HEAD = 64 * 1024


class OddPicture(ValueError):
    """A picture's parts cannot be told apart."""


def stripped(content: bytes, mime: str) -> bytes:
    """The picture without its metadata; what shows stays as it was, bit by bit where it can.

    Args:
        content: A picture that Pillow has recognised, of bounded measures.
        mime: What it was recognised as.

    Raises:
        OSError, ValueError, SyntaxError: It cannot be decoded, where it has to be.
    """
    from PIL import Image  # noqa: PLC0415 - 15 MB that a shop without pictures need not pay

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged notes are left out like sound ones
        with Image.open(io.BytesIO(content)) as image:
            is_moving = getattr(image, "n_frames", 1) > 1
            turn = UPRIGHT if is_moving else _turn_of(image)
            is_turned = turn in range(UPRIGHT + 1, 9)
            if is_turned and image.width * image.height <= MAX_TURNED_PIXELS:
                content = _turned(image, mime, is_lossless=b"VP8L" in content[:_HEAD])
                is_turned = False
    try:
        kept = b"".join(_PARTS[mime](content))
    except (IndexError, struct.error, OddPicture):
        kept = _encoded_anew(content, mime, is_moving=is_moving)
    return _with_orientation(kept, turn) if is_turned and mime == "image/jpeg" else kept


def _turn_of(image: Image) -> int:
    """How a camera noted that it was held, 1 to 8; a note that cannot be read is none."""
    try:
        return int(image.getexif().get(_ORIENTATION, UPRIGHT))
    except (OSError, ValueError, SyntaxError, TypeError, LookupError, struct.error):
        return UPRIGHT


def _turned(image: Image, mime: str, *, is_lossless: bool) -> bytes:
    """The picture as it is to be seen, in its own format and quality."""
    from PIL import ImageOps, JpegImagePlugin  # noqa: PLC0415 - see above

    options: dict[str, object] = {"icc_profile": image.info.get("icc_profile")}
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        # the same tables and sampling: a phone's own quality, neither better nor worse
        options |= {
            "qtables": image.quantization,
            "subsampling": JpegImagePlugin.get_sampling(image),
            "progressive": "progressive" in image.info,
        }
    elif mime == "image/webp":
        options |= {"quality": _QUALITY, "lossless": is_lossless}
    return _saved(ImageOps.exif_transpose(image), mime, **options)


def _encoded_anew(content: bytes, mime: str, *, is_moving: bool) -> bytes:
    from PIL import Image  # noqa: PLC0415 - see above

    with Image.open(io.BytesIO(content)) as image:
        if image.width * image.height > MAX_TURNED_PIXELS:
            raise OddPicture("too large to be encoded anew")
        quality = {} if mime in {"image/png", "image/gif"} else {"quality": _QUALITY}
        return _saved(image, mime, save_all=is_moving, exif=b"", **quality)


def _saved(image: Image, mime: str, **options: object) -> bytes:
    into = io.BytesIO()
    given = {key: value for key, value in options.items() if value is not None}
    if not given.get("save_all"):
        given.pop("save_all", None)
    image.save(into, format=mime.partition("/")[2].upper(), **given)
    return into.getvalue()


# ---------------------------------------------------------------------- JPEG

_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP2, _APP14, _APP15 = 0xE0, 0xE2, 0xEE, 0xEF
_JFIF = 14
"""Bytes of a JFIF header without its thumbnail."""


def _jpeg(content: bytes) -> Iterator[bytes]:
    if content[:2] != b"\xff\xd8":
        raise OddPicture("no start of image")
    yield content[:2]
    at = 2
    while True:
        if content[at] != 0xFF:  # noqa: PLR2004 - every marker begins with it
            raise OddPicture("no marker")
        while content[at + 1] == 0xFF:  # noqa: PLR2004 - any number of fill bytes may stand before a marker
            at += 1
        marker = content[at + 1]
        if marker == _EOI:
            # what phones append (a second picture, a film) tells as much as what stands in front
            yield b"\xff\xd9"
            return
        (size,) = struct.unpack_from(">H", content, at + 2)
        end = at + 2 + size
        if size < 2 or end > len(content):  # noqa: PLR2004 - the size counts itself
            raise OddPicture("a part is cut off")
        part = content[at:end]
        if marker == _SOS:
            end = _end_of_scan(content, end)
            yield content[at:end]
            if end >= len(content):
                yield b"\xff\xd9"  # cut off: what there is shows
                return
        elif marker == _APP0 and part[4:9] == b"JFIF\0" and size >= _JFIF:
            # without its thumbnail
            yield b"\xff\xe0" + struct.pack(">H", _JFIF + 2) + part[4:16] + b"\0\0"
        elif _is_kept(marker, part):
            yield part
        at = end


def _is_kept(marker: int, part: bytes) -> bool:
    if marker == _APP2:
        return part[4:16] == b"ICC_PROFILE\0"
    if marker == _APP14:
        return part[4:9] == b"Adobe"  # says how colours are meant
    return not (_APP0 <= marker <= _APP15 or marker == _COM)


def _end_of_scan(content: bytes, at: int) -> int:
    """Find the next marker that is neither a stuffed byte nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            return len(content)
        follows = content[at + 1]
        if follows == 0 or 0xD0 <= follows <= 0xD7:  # noqa: PLR2004 - RST0 to RST7
            at += 2
        elif follows == 0xFF:  # noqa: PLR2004 - a fill byte
            at += 1
        else:
            return at


def _with_orientation(content: bytes, turn: int) -> bytes:
    """A JPEG whose only metadata is how it is to be turned."""
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, _ORIENTATION, 3, 1, turn, 0, 0)
    exif = b"Exif\0\0" + tiff
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:]


# ---------------------------------------------------------------------- PNG

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    {
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB"),
        *(b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs", b"sPLT", b"acTL", b"fcTL", b"fdAT"),
    }
)


def _png(content: bytes) -> Iterator[bytes]:
    if content[:8] != _PNG:
        raise OddPicture("no signature")
    yield _PNG
    at = 8
    while True:
        (size,) = struct.unpack_from(">I", content, at)
        kind, end = content[at + 4 : at + 8], at + 12 + size
        if end > len(content):
            raise OddPicture("a part is cut off")
        if kind in _PNG_KEPT:
            yield content[at:end]
        if kind == b"IEND":
            return
        at = end


# ---------------------------------------------------------------------- GIF

_GIF_LOOPS = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})


def _gif(content: bytes) -> Iterator[bytes]:
    at = 13 + _gif_colours(content[10])
    yield content[:at]
    while True:
        kind = content[at]
        if kind == 0x3B:  # noqa: PLR2004 - the trailer
            yield b"\x3b"
            return
        if kind == 0x2C:  # noqa: PLR2004 - an image
            end = _gif_blocks(content, at + 11 + _gif_colours(content[at + 9]))
            yield content[at:end]
        elif kind == 0x21:  # noqa: PLR2004 - an extension
            end = _gif_blocks(content, at + 2)
            is_timing = content[at + 1] == 0xF9  # noqa: PLR2004 - how long a frame shows
            if is_timing or content[at + 3 : at + 14] in _GIF_LOOPS:
                yield content[at:end]
        else:
            raise OddPicture("no block")
        at = end


def _gif_colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(content: bytes, at: int) -> int:
    """Find the end of a row of sub-blocks."""
    while content[at]:
        at += 1 + content[at]
    return at + 1


# ---------------------------------------------------------------------- WebP

_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_TOLD = 0x08 | 0x04
"""Bits of VP8X that say that EXIF and XMP follow."""


def _webp(content: bytes) -> Iterator[bytes]:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise OddPicture("no header")
    parts: list[bytes] = []
    at = 12
    stop = min(len(content), 8 + struct.unpack_from("<I", content, 4)[0])
    while at + 8 <= stop:
        kind = content[at : at + 4]
        (size,) = struct.unpack_from("<I", content, at + 4)
        end = at + 8 + size
        if end > len(content):
            raise OddPicture("a part is cut off")
        part = content[at:end] + b"\0" * (size % 2)
        if kind == b"VP8X":
            part = part[:8] + bytes([part[8] & ~_WEBP_TOLD]) + part[9:]
        if kind in _WEBP_KEPT:
            parts.append(part)
        at = end + size % 2
    if not parts:
        raise OddPicture("no image")
    yield b"RIFF" + struct.pack("<I", 4 + sum(map(len, parts))) + b"WEBP"
    yield from parts


_PARTS = {"image/jpeg": _jpeg, "image/png": _png, "image/gif": _gif, "image/webp": _webp}
