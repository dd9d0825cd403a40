"""Nothing is kept of a picture that was not meant to be sent; nothing that shows is lost."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from connectors.media.metadata import MAX_TURNED_PIXELS, stripped
from connectors.media.store import BadFile, MediaStore

HIDDEN = (b"31.2304", b"Wang Xiaoming", b"Canon", b"GPSLatitude", b"xiaoming@")
KINDS = ["JPEG", "PNG", "GIF", "WEBP"]
XMP = b'<x:xmpmeta>GPSLatitude="31.2304" creator="Wang Xiaoming"</x:xmpmeta>'


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def a_scene(mode: str = "RGB", size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Red on the left, green on the right, a white corner at the top left."""
    scene = Image.new("RGB", size, (200, 30, 30))
    scene.paste((30, 160, 30), (size[0] // 2, 0, size[0], size[1]))
    scene.paste((255, 255, 255), (0, 0, size[0] // 8, size[1] // 4))
    return scene.convert(mode)


def exif(turn: int = 1) -> Image.Exif:
    told = Image.Exif()
    told[0x0112] = turn
    told[0x010F] = "Canon"
    told[0x013B] = "Wang Xiaoming"
    told.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.44), 3: "E", 29: "31.2304"})
    return told


def told_in(content: bytes) -> list[bytes]:
    """What of the hidden words can still be read."""
    return [word for word in HIDDEN if word in content]


def a_picture(kind: str, turn: int = 1, **more: object) -> bytes:
    out = io.BytesIO()
    options: dict[str, object] = {"exif": exif(turn).tobytes(), "xmp": XMP, **more}
    if kind == "GIF":
        options = {"comment": b"Wang Xiaoming 31.2304"}
    if kind == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Author", "Wang Xiaoming")
        notes.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=False)
        notes.add_text("Location", "31.2304", zip=True)
        options = {"exif": options["exif"], "pnginfo": notes}
    if kind == "JPEG":
        options |= {"comment": b"xiaoming@example.com", "quality": 88}
    scene = a_scene("P" if kind == "GIF" else "RGB")
    scene.save(out, kind, **options)
    return out.getvalue()


def moving(kind: str) -> bytes:
    out = io.BytesIO()
    frames = [a_scene().rotate(angle) for angle in (0, 90, 180)]
    options: dict[str, object] = {"duration": 120, "loop": 3}
    if kind == "GIF":
        options["comment"] = b"Wang Xiaoming"
    else:
        options["exif"] = exif().tobytes()
    if kind == "WEBP":
        options["xmp"] = XMP
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], **options)
    return out.getvalue()


def pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_told_beside_the_picture_is_written_to_disk(store: MediaStore, kind: str) -> None:
    content = a_picture(kind)
    assert told_in(content)
    kept = store.save(content, "a")
    path = store.path(kept.id)
    assert path is not None
    written = path.read_bytes()
    assert told_in(written) == []
    assert pixels(written) == pixels(content), "not one pixel was encoded anew"
    assert (kept.size, kept.width, kept.height) == (len(written), 64, 32)
    with Image.open(io.BytesIO(written)) as image:
        assert not dict(image.getexif())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(2, 9))
def test_a_picture_that_was_to_be_turned_is_turned(store: MediaStore, kind: str, turn: int) -> None:
    content = a_picture(kind, turn)
    kept = store.keep(content, "a", "k" * 32, 10**6)
    path = store.path(kept.id)
    assert path is not None
    written = path.read_bytes()
    assert told_in(written) == []
    assert (kept.width, kept.height) == ((32, 64) if turn > 4 else (64, 32))
    with Image.open(io.BytesIO(written)) as image:
        assert not dict(image.getexif())
        shown = image.convert("RGB")
    with Image.open(io.BytesIO(a_picture("PNG"))) as upright:
        back = _turned_back(shown, turn)
        far = max(
            abs(one - other)
            for at in ((2, 2), (20, 16), (60, 16), (60, 30))
            for one, other in zip(_rgb(back, at), _rgb(upright.convert("RGB"), at), strict=True)
        )
    # where it shows as it should, turning it the other way gives the stored pixels again
    assert far <= 40


def _turned_back(shown: Image.Image, turn: int) -> Image.Image:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return shown.transpose(back[turn])


def _rgb(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return tuple(int(one) for one in found)


def test_a_picture_too_large_to_be_turned_keeps_that_note_alone() -> None:
    size = (6000, 5000)
    assert size[0] * size[1] > MAX_TURNED_PIXELS
    out = io.BytesIO()
    Image.new("L", size).save(out, "JPEG", exif=exif(6).tobytes(), quality=20)
    written = stripped(out.getvalue(), "image/jpeg")
    assert told_in(written) == []
    with Image.open(io.BytesIO(written)) as image:
        assert dict(image.getexif()) == {0x0112: 6}


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_moving_picture_still_moves(store: MediaStore, kind: str) -> None:
    content = moving(kind)
    kept = store.save(content, "a")
    path = store.path(kept.id)
    assert path is not None
    written = path.read_bytes()
    assert told_in(written) == []
    with (
        Image.open(io.BytesIO(content)) as before,
        Image.open(io.BytesIO(written)) as after,
    ):
        assert getattr(before, "n_frames", 1) == getattr(after, "n_frames", 1) == 3
        for frame in range(3):
            before.seek(frame)
            after.seek(frame)
            assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
            assert before.info.get("duration") == after.info.get("duration")
        assert before.info.get("loop") == after.info.get("loop")


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_behind_the_picture_goes_too(kind: str) -> None:
    """A phone appends a film; a cropped screenshot may leave what was cut off."""
    behind = a_picture(kind) + b"Wang Xiaoming 31.2304" * 50
    written = stripped(behind, f"image/{kind.lower()}")
    assert told_in(written) == []
    assert pixels(written) == pixels(behind)


def test_a_preview_inside_the_header_goes_too() -> None:
    preview = a_picture("JPEG")
    content = a_picture("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0" + preview)
    written = stripped(content, "image/jpeg")
    assert written.count(b"\xff\xd8\xff") == 1
    assert told_in(written) == []


def test_a_colour_profile_stays() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG", "WEBP"):
        out = io.BytesIO()
        a_scene().save(out, kind, icc_profile=profile, exif=exif().tobytes())
        with Image.open(io.BytesIO(stripped(out.getvalue(), f"image/{kind.lower()}"))) as image:
            assert image.info["icc_profile"] == profile


def test_a_progressive_and_a_cmyk_picture_look_the_same() -> None:
    for mode, options in (("RGB", {"progressive": True}), ("CMYK", {}), ("L", {})):
        out = io.BytesIO()
        a_scene(mode).save(out, "JPEG", exif=exif().tobytes(), restart_marker_rows=1, **options)
        written = stripped(out.getvalue(), "image/jpeg")
        assert told_in(written) == []
        assert pixels(written) == pixels(out.getvalue())


def test_a_transparent_picture_stays_transparent() -> None:
    for kind in ("PNG", "WEBP", "GIF"):
        out = io.BytesIO()
        Image.new("RGBA", (8, 8), (10, 20, 30, 0)).save(out, kind)
        with Image.open(io.BytesIO(stripped(out.getvalue(), f"image/{kind.lower()}"))) as image:
            assert _rgb(image.convert("RGBA"), (1, 1))[3] == 0


def test_a_picture_without_anything_to_hide_is_kept_bit_by_bit() -> None:
    for kind in KINDS:
        out = io.BytesIO()
        a_scene("P" if kind == "GIF" else "RGB").save(out, kind)
        assert stripped(out.getvalue(), f"image/{kind.lower()}") == out.getvalue()


def test_a_file_that_is_no_picture_stays_as_it_is(store: MediaStore) -> None:
    content = b"%PDF-1.7 Author Wang Xiaoming"
    kept = store.keep(content, "a.pdf", "k" * 32, 10**6)
    path = store.path(kept.id)
    assert path is not None
    assert path.read_bytes() == content


def test_parts_that_say_they_are_longer_than_the_file_are_no_picture(store: MediaStore) -> None:
    content = a_picture("PNG")
    odd = content[:33] + struct.pack(">I", 2**31 - 1) + b"tEXt" + content[41:]
    with pytest.raises(BadFile):
        store.save(odd, "a")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_damage_breaks_more_than_the_picture(
    kind: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(a_picture(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    store = MediaStore(tmp_path_factory.getbasetemp() / "damaged")
    try:
        kept = store.save(bytes(content), "a", "k" * 32)
    except BadFile:
        return
    assert 0 < kept.size <= len(content) + 64
