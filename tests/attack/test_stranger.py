"""A stranger gets nothing: what can be tried from outside, on a real server with orders in it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError

from tests.attack.target import ADMIN_PASSWORD, ONEBOT_SELF_ID, ONEBOT_TOKEN, Target, target
from tests.factories.page import Page, new_token
from tests.factories.process import eventually
from tests.factories.server import SMALL_KB, new_data_folder

# one server for all: it has to bear all of this, one after the other
pytestmark = pytest.mark.asyncio(loop_scope="module")

PROOF_S = 4.0


@dataclass(frozen=True)
class Shop:
    """A running demo behind a proxy of its own, and what the demo sold."""

    server: Target
    orders: dict[str, Any]

    @property
    def url(self) -> str:
        return self.server.url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory, fits: Path) -> AsyncIterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    data = new_data_folder(folder / "data", fits)
    async with target(
        folder,
        SMALL_KB,
        is_demo=True,
        KEFU_TRUSTED_PROXIES="1",
        KEFU_PROOF_HOURS=str(PROOF_S / 3600),
    ) as server:
        yield Shop(server, (await demo_list(data))["orders"])


async def demo_list(data: Path) -> dict[str, Any]:
    """What ``kefu shop demo`` lists."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "shop", "demo", "--json", "--data", str(data)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    told, _ = await process.communicate()
    found: dict[str, Any] = json.loads(told)
    return found


@asynccontextmanager
async def a_page(url: str, address: str, token: str | None = None) -> AsyncIterator[Page]:
    """A page of somebody whom the proxy sees at this address."""
    async with ClientSession(headers={"X-Forwarded-For": address}) as http:
        token, visitor_id = await new_token(http, url, token)
        query = {"token": token, "last_seq": "0"}
        async with http.ws_connect(f"{url}/widget/ws", params=query) as socket:
            page = Page(socket, token, visitor_id)
            await page.of_type("hello")
            yield page


def heard(page: Page) -> str:
    """Everything that the page was told."""
    return json.dumps(page.frames, ensure_ascii=False)


# ---------------------------------------------------------------------- doors


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({"Authorization": "Bearer "}, ""),
        ({"Authorization": "Bearer wrong"}, ""),
        ({"Authorization": f"Bearer {ONEBOT_TOKEN}x"}, ""),
        ({"Authorization": f"Basic {ONEBOT_TOKEN}x"}, ""),
        ({}, "?access_token="),
        ({}, "?access_token=wrong"),
        ({"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}, ""),
        ({"X-Forwarded-For": "::1", "Forwarded": "for=127.0.0.1"}, ""),
    ],
)
async def test_nobody_without_the_token_speaks_as_onebot(
    shop: Shop, headers: dict[str, str], query: str
) -> None:
    role = {"X-Self-ID": ONEBOT_SELF_ID, "X-Client-Role": "Universal"}
    async with ClientSession() as http:
        with pytest.raises(WSServerHandshakeError) as refused:
            await http.ws_connect(f"{shop.url}/onebot/v11/ws{query}", headers={**role, **headers})
    assert refused.value.status in {401, 403}


NOBODY = b"Host: x\r\nConnection: close\r\n"
ODD_REQUESTS = [
    b"GET / HTTP/1.1\r\n" + NOBODY + b"X-A: \xff\xfe\r\n\r\n",
    b"GET /api/v1/session HTTP/1.1\r\n" + NOBODY + b"Cookie: kefu_session=\xff\xfe\r\n\r\n",
    b"GET /api/v1/session HTTP/1.1\r\n" + NOBODY + b"Cookie: =;;\x80=\x81; a\r\n\r\n",
    b"POST /widget/visitor HTTP/1.1\r\n"
    + NOBODY
    + b"Origin: http://[\r\nContent-Length: 0\r\n\r\n",
    b"GET /widget/ws HTTP/1.1\r\n" + NOBODY + b"Origin: \xff://\xff:x\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\n" + NOBODY + b"\r\n",
    b"GET /widget/media/%00%ff?sig=%ff HTTP/1.1\r\n" + NOBODY + b"\r\n",
    b"GET /api/v1/conversations/%ff%00 HTTP/1.1\r\n" + NOBODY + b"\r\n",
    b"GET /widget/ws?token=%ff&last_seq=%ff HTTP/1.1\r\n" + NOBODY + b"\r\n",
    b"GET /hooks/wechat/main?timestamp=%ff&nonce=%00&signature=%ff HTTP/1.1\r\n" + NOBODY + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n",
    b"GET http://127.0.0.1:1/x HTTP/1.1\r\n" + NOBODY + b"\r\n",
    b"POST /widget/visitor HTTP/1.1\r\n" + NOBODY + b"Content-Length: -1\r\n\r\n",
    b"POST /widget/visitor HTTP/1.1\r\n" + NOBODY + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /widget/visitor HTTP/1.1\r\n"
    + NOBODY
    + b"Content-Type: application/json\r\nContent-Length: 6\r\n\r\n\xff\xfe\x00[[[",
    b"GET / HTTP/1.1\r\n" + NOBODY + b"X-Forwarded-For: \xff, [::1, 1.2.3.4.5\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + NOBODY + b"X-A: " + b"a" * 70_000 + b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


@pytest.mark.parametrize("request_bytes", ODD_REQUESTS, ids=range(len(ODD_REQUESTS)))
async def test_an_odd_request_is_refused_without_a_word_in_the_log(
    shop: Shop, request_bytes: bytes
) -> None:
    before = shop.server.log()
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.server.process.port)
    writer.write(request_bytes)
    writer.write_eof()
    async with asyncio.timeout(20):
        first = await reader.readline()
    writer.close()
    assert not first.startswith(b"HTTP/1.1 5"), first
    added = shop.server.log().removeprefix(before)
    assert "Traceback" not in added
    assert len(added) < 1000, added


@pytest.mark.parametrize(
    "path",
    [
        "/assets/..%2f..%2fdata%2fsecret.key",
        "/assets/%2e%2e/%2e%2e/secret.key",
        "/assets/....//secret.key",
        "/widget/media/..%2f..%2fsecret.key?sig=x",
        "/console/../../secret.key",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/kefu.db",
        "/data/secret.key",
    ],
)
async def test_no_path_leads_out_of_the_pages(shop: Shop, path: str) -> None:
    key = (shop.server.process.data / "secret.key").read_bytes().strip()
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.server.process.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    assert key not in answer
    assert b"root:" not in answer
    assert b"SQLite format" not in answer


# ---------------------------------------------------------------------- throttles


async def test_guesses_of_one_v6_network_are_one_guesser(shop: Shop) -> None:
    """Every guess comes from another address of a /64, by another visitor."""
    order = shop.orders["other_customer"]
    for number in range(40):
        async with a_page(shop.url, f"2001:db8:1:1::{number + 1:x}") as page:
            await page.asks(f"查一下我的订单 {order['number']}")
            await page.asks(f"wrng{1000 + number}")
    async with a_page(shop.url, "2001:db8:1:1:ffff::1") as page:
        await page.asks(f"查一下我的订单 {order['number']}")
        await page.asks(order["query_password"])
        assert not [card for card in order["cards"] if card in heard(page)]
    # strangers do not lock the owner out
    async with a_page(shop.url, "198.51.100.7") as page:
        await page.asks(f"查一下我的订单 {order['number']}")
        await page.asks(order["query_password"])
        assert all(card in heard(page) for card in order["cards"])


async def test_log_ins_of_one_v6_network_are_one_source(shop: Shop) -> None:
    statuses = []
    for number in range(40):
        headers = {"X-Forwarded-For": f"2001:db8:2:2::{number + 1:x}"}
        async with (
            ClientSession(headers=headers) as http,
            http.post(
                f"{shop.url}/api/v1/session", json={"username": f"n{number}", "password": "wrong"}
            ) as answer,
        ):
            statuses.append(answer.status)
    assert 429 in statuses, statuses
    # the agent in the office logs in as ever
    async with (
        ClientSession(
            headers={"X-Forwarded-For": "198.51.100.9"}, cookie_jar=CookieJar(unsafe=True)
        ) as http,
        http.post(
            f"{shop.url}/api/v1/session", json={"username": "admin", "password": ADMIN_PASSWORD}
        ) as answer,
    ):
        assert answer.status == 200


# ---------------------------------------------------------------------- secrets


async def test_a_visitors_token_shows_no_cards_once_the_proof_is_over(shop: Shop) -> None:
    """Somebody else at the same computer opens the page the next day."""
    order = shop.orders["delivered"]
    async with a_page(shop.url, "198.51.100.20") as page:
        await page.asks(f"查一下我的订单 {order['number']}")
        await page.asks(order["query_password"])
        assert all(card in heard(page) for card in order["cards"])
        token = page.token

    async def replayed() -> str:
        # a page that comes again at once too often is refused
        await asyncio.sleep(1)
        async with a_page(shop.url, "198.51.100.21", token) as again:
            await again.send(type="history", before=10_000)
            # nothing is asked: the same question a third time would call a person
            await again.of_type("history")
            return heard(again)

    told = await eventually(
        replayed,
        until=lambda told: not [card for card in order["cards"] if card in told],
        within_s=PROOF_S * 10,
        what="the end of the proof",
    )
    assert order["query_password"] not in told
    assert order["number"] in told


SAYS = ("{0}", "密码是{0}", "mima {0}", "my password is {0}", "DD查询密码：{0}", "{number} {0}")


async def test_secrets_of_a_dialogue_are_nowhere_on_the_disk(shop: Shop) -> None:
    """Passwords right and wrong, cards and contacts, however they are said."""
    order = shop.orders["refunding"]
    said = {order["query_password"], *order["cards"], "kehu-of-mine@example.com", "13812345678"}
    async with a_page(shop.url, "198.51.100.30") as page:
        for form in SAYS:
            await page.asks(f"查一下我的订单 {order['number']}")
            await page.asks(form.format(order["query_password"], number=order["number"]))
        wrong = "jxjj7033"
        said.add(wrong)
        await page.asks(f"查一下我的订单 {order['number']}")
        await page.asks(f"{order['number']} {wrong}")
        await page.asks("我的邮箱 kehu-of-mine@example.com，电话 138 1234 5678")
        await page.asks(f"这张卡用不了 {order['cards'][0] if order['cards'] else ''}")
    # what the write-ahead log holds is on the disk as well
    left = {
        f"{secret} in {path.name}"
        for path in shop.server.process.data.rglob("*")
        if path.is_file() and path.name != "demo.seed" and "cache" not in path.parts
        for content in [path.read_bytes()]
        for secret in said
        if secret.encode() in content
    }
    assert left == set()
    assert not [secret for secret in said if secret in shop.server.log()]
    with closing(sqlite3.connect(shop.server.process.data / "kefu.db")) as database:
        (count,) = database.execute("select count(*) from messages").fetchone()
    assert count > len(SAYS), "nothing was written at all"


async def test_nobody_else_on_the_machine_reads_the_data(shop: Shop) -> None:
    data = shop.server.process.data
    open_to_others = [
        f"{path}: {path.lstat().st_mode & 0o777:o}"
        for path in [data, *data.rglob("*")]
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    ]
    assert open_to_others == []


# ---------------------------------------------------------------------- the admin's files


@pytest.mark.parametrize(
    ("line", "never_told"),
    [
        ("include: [../../../../../../etc/passwd]", "root:"),
        ("include: [/etc/passwd]", "root:"),
        ("include: [link.yaml]", "root:"),
        ("include: ['../*/*.yaml', '/etc/*']", "root:"),
    ],
)
async def test_kb_check_tells_nothing_of_files_outside_its_folder(
    line: str, never_told: str, tmp_path: Path
) -> None:
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    (tmp_path / "kb.yaml").write_text(f"{line}\n{SMALL_KB.read_text(encoding='utf-8')}")
    status, told = await checked(tmp_path)
    assert status == 2, told
    assert "kb.yaml:1" in told
    assert never_told not in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "wrong",
    [
        "    answer: \"{{ 'x' * 2000000000 }}\"",
        '    answer: "{{ range(10 ** 9) | list }}"',
        '    answer: "{% for a in range(99999) %}{{ shop.name * 99999 }}{% endfor %}"',
        "    answer: \"{{ ''.__class__.__mro__[1].__subclasses__() }}\"",
        "    answer: 好\n    patterns: ['(a|aa)+$']",
        "    answer: 好\n    patterns: ['(a|a)*$', '(.*)*x']",
    ],
)
async def test_what_would_stop_the_process_is_refused_by_kb_check(
    wrong: str, tmp_path: Path
) -> None:
    text = SMALL_KB.read_text(encoding="utf-8")
    assert "    answer: 支付宝、微信都可以。" in text
    (tmp_path / "kb.yaml").write_text(text.replace("    answer: 支付宝、微信都可以。", wrong))
    status, told = await checked(tmp_path)
    assert status == 2, told
    assert "kb.yaml:" in told
    assert "Traceback" not in told


async def checked(folder: Path) -> tuple[int, str]:
    """``kefu kb check``: status, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "kb", "check", "--kb", "kb.yaml"),
        *("--data", str(folder / "data")),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        told, _ = await process.communicate()
    return process.returncode or 0, told.decode()
