"""Files are fetched from where a message says, unless that is inside.

Nothing here leaves this machine: 127.0.0.1 plays our own network, and 127.0.0.2 the open internet.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from yarl import URL

from connectors.errors import MediaBusy, MediaGone
from connectors.media.addresses import PrivateHost, PrivateHosts
from connectors.media.download import Downloads

LIMIT = 1000
INSIDE, OUTSIDE = "127.0.0.1", "127.0.0.2"


def hosts(*named: str) -> tuple[PrivateHost, ...]:
    found: tuple[PrivateHost, ...] = TypeAdapter(PrivateHosts).validate_python(list(named))
    return found


class Names(AbstractResolver):
    """A name server that answers what it likes; numbers it reads as the system does.

    Args:
        answers: One list of addresses a question, the last one for all further.
    """

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers) or [[INSIDE]]

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - the library's signature
    ) -> list[ResolveResult]:
        try:
            infos = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
            addresses: Sequence[str] = [str(info[4][0]) for info in infos[:1]]
        except (OSError, UnicodeError):
            addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for one in addresses
        ]

    async def close(self) -> None:
        return


class Trap:
    """A port inside that nobody may so much as connect to."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    async def _connected(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Trap]:
        server = await asyncio.start_server(self._connected, INSIDE, 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self


@asynccontextmanager
async def fetching(
    *answers: Sequence[str], is_public: Callable[[str], bool] | None = None
) -> AsyncIterator[Downloads]:
    made = (
        Downloads(Names(*answers))
        if is_public is None
        else Downloads(Names(*answers), is_public=is_public)
    )
    try:
        yield made
    finally:
        await made.close()


async def _file(request: web.Request) -> web.StreamResponse:
    match request.match_info["name"]:
        case "small":
            return web.Response(body=b"x" * 10)
        case "large":
            return web.Response(body=b"x" * (LIMIT + 1))
        case "endless":
            answer = web.StreamResponse()  # no length is announced
            await answer.prepare(request)
            for _ in range(10):
                await answer.write(b"x" * LIMIT)
            return answer
        case "moved":
            raise web.HTTPFound("/small")
        case "away":
            return web.Response(status=302, headers={"Location": request.query["to"]})
        case "nowhere":
            return web.Response(status=302)
        case "loop":
            raise web.HTTPFound("/loop")
        case "busy":
            raise web.HTTPBadGateway
    raise web.HTTPNotFound


def _application() -> web.Application:
    application = web.Application()
    application.router.add_get("/{name}", _file)
    return application


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async with TestServer(_application()) as running:
        yield f"http://{INSIDE}:{running.port}"


@pytest.fixture
async def outside() -> AsyncIterator[str]:
    """A server of the open internet, as far as these tests go."""
    async with TestServer(_application(), host=OUTSIDE) as running:
        yield f"http://{OUTSIDE}:{running.port}"


@pytest.fixture
def allowed(server: str) -> tuple[PrivateHost, ...]:
    return hosts(server.removeprefix("http://"))


@pytest.fixture
async def downloads() -> AsyncIterator[Downloads]:
    async with fetching() as made:
        yield made


@pytest.fixture
async def worldly() -> AsyncIterator[Downloads]:
    """Downloads for which 127.0.0.2 is the open internet."""
    async with fetching(is_public=OUTSIDE.__eq__) as made:
        yield made


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    async with Trap().open() as made:
        yield made


# ---------------------------------------------------------------------- what is fetched


async def test_a_file_is_fetched_and_redirects_are_followed(
    server: str, downloads: Downloads, allowed: tuple[PrivateHost, ...]
) -> None:
    for name in ("small", "moved"):
        got = await downloads.get(f"{server}/{name}", LIMIT, private_hosts=allowed)
        assert got == b"x" * 10


async def test_a_file_of_the_open_internet_is_fetched(outside: str, worldly: Downloads) -> None:
    assert await worldly.get(f"{outside}/small", LIMIT) == b"x" * 10
    assert await worldly.get(f"{outside}/away?to={outside}/small", LIMIT) == b"x" * 10


@pytest.mark.parametrize("name", ["large", "endless"])
async def test_a_file_over_the_limit_is_not_taken(
    server: str, downloads: Downloads, allowed: tuple[PrivateHost, ...], name: str
) -> None:
    with pytest.raises(MediaGone, match="too_large"):
        await downloads.get(f"{server}/{name}", LIMIT, private_hosts=allowed)


async def test_a_file_that_is_gone_is_told_from_one_that_may_come(
    server: str, downloads: Downloads, allowed: tuple[PrivateHost, ...]
) -> None:
    with pytest.raises(MediaGone, match="expired"):
        await downloads.get(f"{server}/gone", LIMIT, private_hosts=allowed)
    with pytest.raises(MediaBusy):
        await downloads.get(f"{server}/busy", LIMIT, private_hosts=allowed)
    for name in ("loop", "nowhere"):
        with pytest.raises(MediaGone, match="refused"):
            await downloads.get(f"{server}/{name}", LIMIT, private_hosts=allowed)


async def test_an_error_names_no_address(downloads: Downloads) -> None:
    with pytest.raises(MediaBusy) as caught:
        await downloads.get(
            "http://127.0.0.1:1/bot123:SECRET/x", LIMIT, private_hosts=hosts("127.0.0.1:1")
        )
    assert "SECRET" not in str(caught.value)
    assert isinstance(caught.value.__context__, aiohttp.ClientError | OSError)


# ---------------------------------------------------------------------- what is not

SPELLINGS = [
    "http://127.0.0.1:{port}/",
    "http://127。0。0。1:{port}/",
    "http://127．0．0．1:{port}/",
    "http://127｡0｡0｡1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://①②⑦.0.0.1:{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://𝟏𝟐𝟕.𝟎.𝟎.𝟏:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/",
    "http://0X7F.0x0.0x0.0x1:{port}/",
    "http://0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::127.0.0.1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://localhost:{port}/",
    "http://ｌｏｃａｌｈｏｓｔ:{port}/",
    "http://kefu.example.com:{port}/",  # a public name that leads inside
    "http://localhost.:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}/",
    "http://a@127.0.0.1:{port}/",
    "http://a:b@files.example.com:{port}/",
    "http://files.example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@files.example.com/",
    "http://127.0.0.1\\@files.example.com:{port}/",
    "http://files.example.com:{port}\t@127.0.0.1/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/\r\nHost: files.example.com",
    "http://10.0.0.1/small",
    "http://169.254.169.254/latest/meta-data",
    "http://files.example.com:0/",
    "http://files.example.com:99999/",
    "http:///x",
    "//127.0.0.1:{port}/",
    "ftp://files.example.com/x",
    "file:///etc/passwd",
    "data:text/plain,x",
    "unix:///run/x",
    "http+unix://x/y",
    "http://user@files.example.com/x",
    "nonsense",
    "",
    "http://[",
    "http://\udc80/",
    "http://" + "a" * 300 + "/",
]


@pytest.mark.parametrize("url", SPELLINGS, ids=ascii)
async def test_nothing_inside_is_so_much_as_connected_to(
    trap: Trap, downloads: Downloads, url: str
) -> None:
    with pytest.raises(MediaGone, match="refused"):
        await downloads.get(url.format(port=trap.port), LIMIT)
    assert trap.connections == 0


@pytest.mark.parametrize(
    "to", [one for one in SPELLINGS if "{port}" in one and one.isprintable()], ids=ascii
)
async def test_a_redirect_inside_is_not_followed(
    trap: Trap, outside: str, worldly: Downloads, to: str
) -> None:
    where = URL(f"{outside}/away").with_query(to=to.format(port=trap.port))
    with pytest.raises(MediaGone, match=r"refused|expired"):  # some are paths on the same host
        await worldly.get(str(where), LIMIT)
    assert trap.connections == 0


DIGITS = ("0123456789", "０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
DOTS = (".", "。", "．", "｡")


@st.composite
def spelt(draw: st.DrawFn) -> str:
    """127.0.0.0/8 as a stranger would write it."""
    address = IPv4Address(0x7F000000 + draw(st.integers(0, 0xFFFFFF)))
    n = int(address)
    octets = [n >> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]
    kept = draw(st.integers(1, 4))
    last = int.from_bytes(bytes(octets[kept - 1 :]), "big")
    form = draw(st.sampled_from(["{:d}", "0{:o}", "0x{:x}", "0X{:X}"]))
    host = draw(st.sampled_from(DOTS)).join(form.format(one) for one in (*octets[: kept - 1], last))
    wrapped = draw(st.sampled_from(["{}", "[::ffff:{}]", "[::{}]", "[64:ff9b::{}]", "{}."]))
    if wrapped.startswith("["):
        return wrapped.format(address)
    table = str.maketrans(DIGITS[0], draw(st.sampled_from(DIGITS)))
    return wrapped.format(host.translate(table))


@given(spelt(), st.sampled_from(["", "x@", "x:y@"]))
def test_no_spelling_of_this_machine_is_connected_to(host: str, user: str) -> None:
    async def scenario() -> None:
        async with Trap().open() as trap, fetching() as downloads:
            with pytest.raises(MediaGone, match="refused"):
                await downloads.get(f"http://{user}{host}:{trap.port}/", LIMIT)
            assert trap.connections == 0

    asyncio.run(scenario())


# ---------------------------------------------------------------------- name servers that lie


@pytest.mark.parametrize(
    "answer", [[OUTSIDE, INSIDE], [INSIDE, OUTSIDE], [OUTSIDE, "::1"], [INSIDE] * 3]
)
async def test_a_name_with_one_address_inside_is_refused_whole(
    trap: Trap, answer: Sequence[str]
) -> None:
    async with fetching(answer, is_public=OUTSIDE.__eq__) as downloads:
        with pytest.raises(MediaGone, match="refused"):
            await downloads.get(f"http://files.example.com:{trap.port}/", LIMIT)
    assert trap.connections == 0


async def test_a_name_that_leads_outside_first_and_inside_then_is_refused(
    trap: Trap, outside: str
) -> None:
    port = outside.rpartition(":")[2]
    async with fetching([OUTSIDE], [INSIDE], is_public=OUTSIDE.__eq__) as downloads:
        first = f"http://files.example.com:{port}/away?to=http://files.example.com:{trap.port}/"
        with pytest.raises(MediaGone, match="refused"):
            await downloads.get(first, LIMIT)
    assert trap.connections == 0


async def test_who_answers_is_looked_at_before_anything_is_asked() -> None:
    asked: list[str] = []

    def is_public_until_connected(host: str) -> bool:
        asked.append(host)
        return len(asked) <= 1  # the socket's address, and no longer that of who is behind it

    heard: list[web.Request] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(request)
        return web.Response()

    application = web.Application()
    application.router.add_get("/", hear)
    async with (
        TestServer(application, host=OUTSIDE) as running,
        fetching(is_public=is_public_until_connected) as downloads,
    ):
        with pytest.raises(MediaGone, match="refused"):
            await downloads.get(f"http://{OUTSIDE}:{running.port}/", LIMIT)
    assert asked == [OUTSIDE, OUTSIDE]
    assert heard == []


# ---------------------------------------------------------------------- hosts that an admin named


async def test_a_named_host_is_reached_on_its_port_alone(
    server: str, trap: Trap, downloads: Downloads, allowed: tuple[PrivateHost, ...]
) -> None:
    assert await downloads.get(f"{server}/small", LIMIT, private_hosts=allowed)
    with pytest.raises(MediaGone, match="refused"):
        await downloads.get(f"http://{INSIDE}:{trap.port}/", LIMIT, private_hosts=allowed)
    assert trap.connections == 0


async def test_a_named_host_cannot_lead_to_another_inside(
    server: str, trap: Trap, downloads: Downloads, allowed: tuple[PrivateHost, ...]
) -> None:
    url = f"{server}/away?to=http://{INSIDE}:{trap.port}/"
    with pytest.raises(MediaGone, match="refused"):
        await downloads.get(url, LIMIT, private_hosts=allowed)
    assert trap.connections == 0


async def test_what_was_opened_for_one_account_is_not_open_to_another(
    server: str, downloads: Downloads, allowed: tuple[PrivateHost, ...]
) -> None:
    assert await downloads.get(f"{server}/small", LIMIT, private_hosts=allowed)
    with pytest.raises(MediaGone, match="refused"):  # although the connection is still open
        await downloads.get(f"{server}/small", LIMIT)
