from __future__ import annotations

import io
import os
import resource
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from connectors.media.store import MAX_IMAGE_BYTES, BadFile, MediaStore
from connectors.web.routes import picture_headers


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def a_picture(kind: str = "PNG", size: tuple[int, int] = (4, 3)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


def a_png_bomb(width: int, height: int) -> bytes:
    """A few bytes that say that they are a huge picture."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_kept_and_described_by_its_content(store: MediaStore, kind: str) -> None:
    content = a_picture(kind)
    kept = store.save(content, "截图.exe")
    assert (kept.kind, kept.mime) == ("image", f"image/{kind.lower()}")
    assert (kept.size, kept.width, kept.height, kept.name) == (len(content), 4, 3, "截图.exe")
    path = store.path(kept.id)
    assert path is not None
    assert path.read_bytes() == content
    assert picture_headers(content[:12])["Content-Type"] == kept.mime


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg onload=alert(1)>",
        b"<html>",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"GIF89a<script>",
        b"BM" + b"\0" * 60,
        a_picture()[:40],
    ],
)
def test_what_is_no_picture_by_content_is_refused_and_not_kept(
    store: MediaStore, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(BadFile) as caught:
        store.save(content, "photo.png")
    assert caught.value.code == "not_an_image"
    assert not (tmp_path / "media").exists()


def test_a_picture_of_a_format_that_browsers_do_not_show_is_refused(store: MediaStore) -> None:
    with pytest.raises(BadFile):
        store.save(a_picture("TIFF"))


def test_too_many_bytes_are_refused_unread(store: MediaStore) -> None:
    with pytest.raises(BadFile) as caught:
        store.save(b"\0" * (MAX_IMAGE_BYTES + 1))
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("size", [(10_000, 10_000), (60_000, 60_000)])
def test_a_small_file_of_a_huge_picture_is_refused(
    store: MediaStore, size: tuple[int, int]
) -> None:
    with pytest.raises(BadFile):
        store.save(a_png_bomb(*size))


@pytest.mark.parametrize("key", ["../secret.key", "..", "", "a/b", "a\\b", "f" * 32])
def test_no_id_leads_out_of_the_folder_or_to_a_file_that_is_not_there(
    store: MediaStore, tmp_path: Path, key: str
) -> None:
    (tmp_path / "secret.key").write_text("secret")
    store.save(a_picture())
    assert store.path(key) is None


def test_a_file_name_cannot_break_a_line(store: MediaStore) -> None:
    assert store.save(a_picture(), "a\r\nb\0c" + "x" * 500).name == ("abc" + "x" * 500)[:120]


# ---------------------------------------------------------------------- whole or not at all


@contextmanager
def a_full_disk() -> Iterator[None]:
    """Files of this process grow no further."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_file_and_no_part_of_one(store: MediaStore, tmp_path: Path) -> None:
    with a_full_disk():
        with pytest.raises(OSError, match="large"):
            store.save(a_picture())
        with pytest.raises(OSError, match="large"):
            store.keep(b"x" * 100, "x", "a" * 32, 1000)
    assert list((tmp_path / "media").iterdir()) == []
    kept = store.save(a_picture())
    assert store.path(kept.id) is not None


def test_a_file_that_is_refused_leaves_nothing(store: MediaStore, tmp_path: Path) -> None:
    for refused in (b"", b"<svg>", b"x" * (MAX_IMAGE_BYTES + 1)):
        with pytest.raises(BadFile):
            store.save(refused)
    assert not (tmp_path / "media").exists()


def test_a_file_is_its_owners_alone(store: MediaStore, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        kept = store.save(a_picture())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "media" / kept.id).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "media").stat().st_mode) == 0o700


def test_a_file_is_kept_once_more_under_its_name(store: MediaStore) -> None:
    store.keep(b"old", "x", "a" * 32, 1000)
    store.keep(b"new", "x", "a" * 32, 1000)
    path = store.path("a" * 32)
    assert path is not None
    assert path.read_bytes() == b"new"


def test_what_a_killed_process_left_half_written_is_cleared_and_nothing_else(
    store: MediaStore, tmp_path: Path
) -> None:
    kept = store.save(a_picture())
    stray = tmp_path / "media" / f".{'b' * 32}.01234567.tmp"
    stray.touch()
    now = stray.stat().st_mtime
    assert store.left_before(now - 60) == []
    assert stray.exists()  # somebody may be writing it
    assert store.left_before(now + 60) == [kept.id]
    assert not stray.exists()
    store.remove([kept.id, "never-there", "../x"])
    assert store.path(kept.id) is None
