"""A form's one file, whatever else somebody puts into the form."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, FormData, web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from connectors.media.multipart import (
    FORM_BYTES,
    MAX_HEADER_BYTES,
    MAX_PARTS,
    FormFile,
    file_in,
    read_form_file,
)
from connectors.media.store import BadFile
from tests.factories.growth import is_within

MAX_BYTES = 1024 * 1024
HEAD = b'Content-Disposition: form-data; name="file"; filename="a.png"'


def a_part(content: bytes, head: bytes = HEAD) -> bytes:
    return b"--x\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def a_field(name: bytes = b"note") -> bytes:
    return a_part(b"hello", b'Content-Disposition: form-data; name="' + name + b'"')


@given(content=st.binary(max_size=300), fields=st.integers(0, MAX_PARTS - 1))
def test_a_file_comes_out_as_it_went_in(content: bytes, fields: int) -> None:
    found = file_in(a_field() * fields + a_part(content) + b"--x--\r\n", b"x")
    if b"\r\n--x" not in content:
        assert found == FormFile("a.png", content)


@given(st.binary(max_size=400), st.binary(min_size=1, max_size=5))
def test_whatever_bytes_come_nothing_breaks(body: bytes, boundary: bytes) -> None:
    file_in(body, boundary)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b'Content-Disposition: form-data; name="file"; filename="a.png"', "a.png"),
        ('content-disposition: form-data; name="file"; filename="截图.png"'.encode(), "截图.png"),
        (b'Content-Type: image/png\r\nContent-Disposition: form-data; name="file"', ""),
        (b'Content-Disposition: form-data; name=file; filename="%22a%22.png"', '"a".png'),
    ],
)
def test_the_name_is_read_as_browsers_write_it(head: bytes, name: str) -> None:
    found = file_in(a_part(b"PNG", head) + b"--x--", b"x")
    assert found == FormFile(name, b"PNG")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x--\r\n",
        a_field() + b"--x--\r\n",
        b"--x\r\n" + HEAD + b"\r\n\r\nno end",
        b"--x\r\n" + HEAD,
        b"--x\r\n\r\n\r\nno head\r\n--x--\r\n",
        a_part(b"PNG", b"A: " + b"b" * MAX_HEADER_BYTES + b"\r\n" + HEAD) + b"--x--\r\n",
        a_field() * MAX_PARTS + a_part(b"PNG") + b"--x--\r\n",
    ],
)
def test_a_form_that_no_page_of_ours_sends_has_no_file(body: bytes) -> None:
    assert file_in(body, b"x") is None


@pytest.mark.parametrize(
    "body",
    [
        b"--x\r\n\r\n\r\n" * 1_000_000,  # parts
        b"\r\n" * 4_000_000,  # lines before the first part
        b"--x\r\n" + b"a: b\r\n" * 1_000_000,  # headers
        a_part(b"\r\n--" * 2_000_000),  # what looks like a boundary
    ],
    ids=["parts", "preamble", "headers", "near boundaries"],
)
def test_eight_megabytes_of_crumbs_cost_about_what_one_file_does(body: bytes) -> None:
    one_file = a_part(b"\0" * 8_000_000)
    # six times it; two thousand times (7.5 s) where each part or line was looked at
    assert is_within(50, lambda: file_in(body, b"x"), lambda: file_in(one_file, b"x"))


# ---------------------------------------------------------------------- over HTTP


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        try:
            found = await read_form_file(request, MAX_BYTES)
        except BadFile as error:
            return web.Response(text=error.code)
        return web.Response(text="none" if found is None else f"{len(found.content)}")

    application = web.Application()
    application.router.add_post("/", take)
    async with TestServer(application) as server:
        yield str(server.make_url("/"))


async def answer_to(url: str, data: object, **headers: str) -> str:
    async with ClientSession() as http, http.post(url, data=data, headers=headers) as answer:
        return await answer.text()


async def test_a_form_as_a_client_writes_it_is_read(url: str) -> None:
    form = FormData()
    form.add_field("note", "hello")
    form.add_field("file", b"\x89PNG", filename="截图.png", content_type="image/png")
    assert await answer_to(url, form) == "4"


@pytest.mark.parametrize("size", [MAX_BYTES + 1, MAX_BYTES + FORM_BYTES + 1])
async def test_one_byte_too_many_is_too_large(url: str, size: int) -> None:
    form = FormData()
    form.add_field("file", io.BytesIO(b"x" * size), filename="a")
    assert await answer_to(url, form) == "too_large"


async def test_a_body_that_does_not_tell_its_length_is_cut_off_as_well(url: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 64 * 1024

    told = await answer_to(url, endless(), **{"Content-Type": "multipart/form-data; boundary=x"})
    assert told == "too_large"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "multipart/form-data", "multipart/form-data; boundary=" + "b" * 71],
)
async def test_what_is_no_form_has_no_file(url: str, content_type: str) -> None:
    assert await answer_to(url, b"--x", **{"Content-Type": content_type}) == "none"
