"""Odd requests to every route there is: never a 5xx, never a traceback, one short line at most."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, CookieJar

from bot.app.process import logs
from bot.app.server import Started
from devkit.app import FakeShopApp
from devkit.onebot import FakeOneBot
from devkit.qq import FakeQQOpen
from devkit.telegram import FakeTelegram
from devkit.wechat import FakeWeChatOA
from devkit.wecom import FakeWeComKF
from storage.unit_of_work import UnitOfWork
from tests.factories.channels import kefu_beside
from tests.factories.server import SMALL_KB

ADMIN_PASSWORD = "a password of tests"
LONGEST_LINE = 600
ANSWERED_WITHIN_S = 15.0
DEEP = b"[" * 60_000
JSON_TYPE = b"Content-Type: application/json\r\n"

#: Put in place of what a path leaves open.
IDS = (
    b"%00", b"a%00b", b"%ff%fe", b"\xff\xfe", b"%ED%A0%80", b"%F0%9F%92%A9", b"..%2f..%2fetc",
    b"9" * 400, b"%", b"%zz", b"%E4%BD%A0", b"-1", b"1e999", b"{}", b"'", b"*",
)  # fmt: skip
QUERIES = (
    b"?limit=%00&before=%00&last_seq=%ff&token=%ED%A0%80&q=\xff",
    b"?limit=999999999999999999999999&before=1e400&last_seq=-1&cursor=" + b"9" * 300,
    b"?%zz=%&&&=;" + b"a=1&" * 500,
    "?timestamp=١٢٣&nonce=١&signature=é&msg_signature=é&echostr=é".encode(),
    b"?signature[]=a&timestamp=9999999999999999999&nonce=%00&msg_signature=%00&echostr=%00",
)
HEADERS = (
    b"Origin: null\r\n",
    b"Origin: http://[\r\n",
    b"Origin: http://\xff\xfe\r\n",
    b"Origin: https://a:b@c:99999999/\r\n",
    "Origin: http://ⅷ.example:٣\r\n".encode(),
    b"Cookie: kefu_session=\xff\xfe; kefu_device_00000000=\xff; a=\xe4\r\n",
    b"Cookie: " + b"a=b; " * 400 + b"\r\n",
    b"X-CSRF-Token: \xff\xff\r\nAuthorization: Bearer \xff\xfe\r\n",
    b"Authorization: Bearer " + b"." * 4_000 + b"\r\n",
    b"X-Forwarded-For: \xff, ::::, 999.1.1.1\r\nX-Forwarded-Proto: \xff\r\nForwarded: for=\xff\r\n",
    b"Accept-Language: \xff;q=nan\r\nUser-Agent: \xc0\xae\r\nReferer: \xff\r\n",
    b"Range: bytes=9-1,,--\r\nIf-Modified-Since: \xff\r\nIf-None-Match: \xff\r\nIf-Range: x\r\n",
    b"Content-Type: text/plain; charset=no-such\r\n",
    b"Content-Type: multipart/form-data\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: nonsense\r\n",
    b"Expect: the-unexpected\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n"
    b"Sec-WebSocket-Key: \xff\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: \xff\r\n",
    b"X-Signature-Ed25519: \xff\r\nX-Signature-Timestamp: \xff\r\nX-Bot-Appid: \xff\r\n"
    b"X-Telegram-Bot-Api-Secret-Token: \xff\r\nX-Self-ID: \xff\r\nX-Signature: \xff\r\n"
    b"X-Kefu-Timestamp: \xff\r\nX-Kefu-Signature: \xff\r\n",
    b"X-Signature-Timestamp: 99999999999999999999999\r\nX-Kefu-Timestamp: 1e999\r\n",
)
BODIES = (
    (JSON_TYPE, b""),
    (JSON_TYPE, b"\xff\xfe\x00"),
    (JSON_TYPE, DEEP),
    (JSON_TYPE, b'{"a":' * 20_000),
    (JSON_TYPE, b'{"token":"\\ud800","locale":"\\u0000","username":"\\ud800","password":"x"}'),
    (JSON_TYPE, b'{"username":"a\\u0000","password":"\\u0000"}'),
    (JSON_TYPE, b'{"text":"\\u0000","client_id":"\\u0000"}'),
    (JSON_TYPE, b'{"token":' + b"9" * 5_000 + b',"id":1e999,"limit":NaN}'),
    (JSON_TYPE, b'{"token":["a"],"username":{},"password":[],"text":1.5e300}'),
    (JSON_TYPE, b'"' + b"\xe4\xbd\xa0" * 10_000 + b'"'),
    (b"Content-Type: text/xml\r\n", b"<xml>" * 20_000),
    (b"Content-Type: text/xml\r\n", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    (b"Content-Type: text/xml\r\n", b"<xml><Encrypt>\xff</Encrypt></xml>"),
    (b"Content-Type: multipart/form-data; boundary=b\r\n", b"--b\r\n\r\n--b--"),
    (b"Content-Type: multipart/form-data; boundary=\xff\r\n", b"--\xff\r\n"),
    (b"Content-Type: multipart/form-data; boundary=" + b"b" * 300 + b"\r\n", b"--b\r\n"),
    (b"Content-Type: multipart/form-data; boundary=b\r\n",
     b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff\x00"\r\n'
     b"Content-Transfer-Encoding: base64\r\n\r\n%%%\r\n--b--\r\n"),
    (b"Content-Type: application/x-www-form-urlencoded; charset=utf-99\r\n", b"a=%ff&b=%00"),
)  # fmt: skip
NO_HTTP = (
    b"\r\n\r\n\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 500 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nA: \x00\r\n\r\n",
    b"GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET //a:b@c:99999999/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
)
METHODS = (b"DELETE", b"PUT", b"PATCH", b"OPTIONS", b"HEAD", b"TRACE", b"PROPFIND", b"NONSENSE")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """A server that is spoken to in bytes; ``head`` goes with every request."""

    started: Started
    head: bytes = b""

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Every route of the running application, taken from itself."""
        found = {
            (route.method, route.resource.canonical)
            for route in self.started.application.router.routes()
            if route.resource is not None
        }
        assert len(found) > 35, "some routes are not seen"
        return sorted(found)

    async def asks(
        self, method: bytes, path: bytes, headers: bytes = b"", body: bytes | None = None
    ) -> Answer:
        length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
        has_connection = b"Connection:" in headers
        close = b"" if has_connection else b"Connection: close\r\n"
        return await self.sends(
            b"%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s%s%s\r\n%s"
            % (method, path, close, self.head, headers, length, body or b"")
        )

    async def sends(self, request: bytes, *, ends: bool = False) -> Answer:
        """Send bytes, and nothing more if it ``ends``; the first answer, status 0 for none."""
        port = urlsplit(self.started.url).port
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request)
                if ends:
                    writer.write_eof()
                head = await reader.readuntil(b"\r\n\r\n")
                status, *lines = head.decode("latin-1").split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines if ": " in line)
                length = int(headers.get("Content-Length", "0")) if method_has_body(request) else 0
                return Answer(int(status.split()[1]), headers, await reader.readexactly(length))
            except (asyncio.IncompleteReadError, ConnectionError):
                return Answer(0, {}, b"")
            finally:
                writer.close()


def method_has_body(request: bytes) -> bool:
    return not request.startswith(b"HEAD ")


def paths(route: str) -> Iterator[bytes]:
    """A route's path with odd things in place of what it leaves open."""
    if "{" not in route:
        yield route.encode()
        return
    for odd in IDS:
        yield re.sub(rb"\{[^}]+\}", lambda _found, odd=odd: odd, route.encode())  # type: ignore[misc]


def plain(route: str) -> bytes:
    return re.sub(rb"\{[^}]+\}", b"abc", route.encode())


@pytest.fixture
async def wire(data_folder: Path) -> AsyncIterator[Wire]:
    """A server with an account on every channel, its log as in production."""
    logs.configure("info", "text")
    platforms = [
        FakeTelegram(mode="webhook"),
        FakeWeChatOA(mode="safe"),
        FakeWeComKF(),
        FakeQQOpen(),
        FakeOneBot(),
        FakeShopApp(),
    ]
    async with kefu_beside(
        platforms,
        data_folder,
        SMALL_KB,
        admin_password=ADMIN_PASSWORD,
        metrics_token="a token for the figures",
    ) as started:
        yield Wire(started)
    logs.configure("warning", "text")


@pytest.fixture
async def agents_wire(wire: Wire) -> Wire:
    """The same, asked by somebody who is logged in."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        body = {"username": "admin", "password": ADMIN_PASSWORD}
        async with browser.post(f"{wire.started.url}/api/v1/session", json=body) as answer:
            csrf = (await answer.json())["csrf_token"]
            cookie = answer.cookies["kefu_session"].value
    wire.head = f"Cookie: kefu_session={cookie}\r\nX-CSRF-Token: {csrf}\r\n".encode()
    return wire


async def failures(
    wire: Wire, requests: Iterator[tuple[bytes, bytes, bytes, bytes | None]]
) -> list[str]:
    """Those of these requests that were answered with a 5xx, or with nothing."""
    found = []
    for method, path, headers, body in requests:
        try:
            answer = await wire.asks(method, path, headers, body)
        except TimeoutError:
            answer = Answer(599, {}, b"")
        if not 100 <= answer.status < 500:
            shown = (path[:80], headers[:60], (body or b"")[:40])
            found.append(f"{answer.status} {method.decode()} {shown} {answer.body[:120]!r}")
    return found


def odd_requests(wire: Wire) -> Iterator[tuple[bytes, bytes, bytes, bytes | None]]:
    """Every route: its own method with odd ids, queries, headers and bodies, and other methods."""
    for method, route in wire.routes:
        own = b"GET" if method in {"*", "HEAD"} else method.encode()
        has_body = own in {b"POST", b"PUT", b"PATCH", b"DELETE"}
        empty = b"{}" if has_body else None
        for path in paths(route):
            yield own, path, JSON_TYPE, empty
        for query in QUERIES:
            yield own, plain(route) + query, b"", empty
        for headers in HEADERS:
            yield own, plain(route), headers, empty
        for headers, body in BODIES:
            yield own, plain(route), headers, body
        for other in METHODS:
            if other != own or own == b"HEAD":
                yield other, plain(route), b"", None


def check_log(text: str, requests: int) -> None:
    lines = text.splitlines()
    assert "Traceback" not in text, text[-3_000:]
    assert all(len(line) <= LONGEST_LINE for line in lines), max(lines, key=len)[:2_000]
    assert len(lines) <= requests + 20


async def test_no_odd_request_of_a_stranger_fails(
    wire: Wire, capfd: pytest.CaptureFixture[str]
) -> None:
    requests = list(odd_requests(wire))
    assert len(requests) > 2_000
    assert await failures(wire, iter(requests)) == []
    check_log(capfd.readouterr().err, len(requests))
    async with ClientSession() as http, http.get(f"{wire.started.url}/readyz") as ready:
        assert ready.status == 200


async def test_no_odd_request_of_an_agent_fails(
    agents_wire: Wire, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = [
        one for one in odd_requests(agents_wire)
        if one[1].startswith(b"/api/") and not one[2].startswith((b"Cookie", b"X-CSRF"))
        # logging out is no odd request
        and not (one[0] == b"DELETE" and one[1].startswith(b"/api/v1/session"))
    ]  # fmt: skip
    assert len(mine) > 500
    assert await failures(agents_wire, iter(mine)) == []
    check_log(capfd.readouterr().err, len(mine))


async def test_what_is_no_http_gets_a_short_answer_or_none(
    wire: Wire, capfd: pytest.CaptureFixture[str]
) -> None:
    for nonsense in NO_HTTP:
        answer = await wire.sends(nonsense, ends=True)
        assert answer.status < 500, nonsense[:80]
        assert len(answer.body) < 10_000 or answer.status == 200
        assert "aiohttp" not in str(answer.headers)
    check_log(capfd.readouterr().err, len(NO_HTTP))


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"5\r\nab", b"-5\r\nabc\r\n", b"ffffffffffffffff\r\n", b"1;" + b"e" * 9_000]
)
async def test_chunked_nonsense_gets_a_short_answer_or_none(
    wire: Wire, capfd: pytest.CaptureFixture[str], body: bytes
) -> None:
    for method, route in wire.routes:
        if method not in {"POST", "PUT", "PATCH"}:
            continue
        head = b"%s %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" % (
            method.encode(), plain(route),
        )  # fmt: skip
        request = head + JSON_TYPE + b"Connection: close\r\n\r\n" + body
        assert (await wire.sends(request, ends=True)).status < 500, route
    check_log(capfd.readouterr().err, 50)


async def test_every_answer_has_the_headers_of_the_house(wire: Wire) -> None:
    for method, route in wire.routes:
        if method not in {"GET", "POST"}:
            continue
        answer = await wire.asks(method.encode(), plain(route))
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert headers["server"] == "kefu", route
        assert headers["x-content-type-options"] == "nosniff", route
        assert headers["referrer-policy"] == "no-referrer", route
        assert "camera=()" in headers["permissions-policy"], route
        assert "unsafe" not in headers.get("content-security-policy", ""), route
        assert "strict-transport-security" not in headers, route


async def test_an_error_of_our_own_is_one_line_and_short_json(
    wire: Wire, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def deep(depth: int = 0) -> None:
        deep(depth + 1)

    def fails(_work: UnitOfWork) -> None:
        try:
            deep()
        except RecursionError as error:
            raise LookupError("what the stranger sent" * 1_000) from error

    monkeypatch.setattr(UnitOfWork, "probe", fails)
    answer = await wire.asks(b"GET", b"/readyz")

    assert answer.status == 500
    assert json.loads(answer.body)["error"]["code"] == "internal"
    told = capfd.readouterr().err
    failed = [line for line in told.splitlines() if "request_failed" in line]
    assert len(failed) == 1
    assert "LookupError" in failed[0]
    assert "test_odd_requests.py" in failed[0]
    assert "what the stranger sent" not in told
    check_log(told, 5)
