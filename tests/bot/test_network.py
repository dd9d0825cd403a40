"""Who counts as one source: addresses, networks, proxies that say nothing, and the demo's owner."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from bot.app.http.network import Network, networks

KEY = b"k" * 32


def a_request(
    remote: str = "127.0.0.1", *forwarded: str, path: str = "/", **headers: str
) -> web.Request:
    given = [("X-Forwarded-For", one) for one in forwarded]
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    made = make_mocked_request("GET", path, headers=CIMultiDict([*given, *named]))
    return made.clone(remote=remote)


def source_of(address: str) -> str:
    return Network(KEY).source(a_request(address)).exact


def test_all_addresses_of_an_ipv6_64_are_one_source() -> None:
    assert source_of("2001:db8:1:2::1") == source_of("2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert source_of("2001:db8:1:2::1") != source_of("2001:db8:1:3::1")


@pytest.mark.parametrize("other", ["2001:db8:1:ffff::1", "2001:db8:1:0:9::"])
def test_whoever_rotates_through_a_48_stays_in_one_wider_bucket(other: str) -> None:
    network = Network(KEY)
    one, two = (network.source(a_request(each)) for each in ("2001:db8:1:2::1", other))

    assert one.exact != two.exact
    assert one.wide == two.wide
    assert network.source(a_request("2001:db8:2::1")).wide != one.wide


@pytest.mark.parametrize(
    "spelling",
    ["::ffff:192.0.2.7", "::ffff:c000:207", "2002:c000:207::1", "192.0.2.7:4711", '"192.0.2.7"'],
)
def test_every_spelling_of_an_ipv4_address_is_that_address(spelling: str) -> None:
    assert source_of(spelling) == source_of("192.0.2.7")
    assert source_of(spelling) != source_of("192.0.2.8")


@pytest.mark.parametrize("spelling", ["[2001:db8::5]:443", "2001:db8::5%eth0", " 2001:DB8::5 "])
def test_every_spelling_of_an_ipv6_address_is_that_address(spelling: str) -> None:
    assert source_of(spelling) == source_of("2001:db8::5")


def test_neighbours_in_a_24_share_the_wider_bucket_alone() -> None:
    network = Network(KEY)
    one, two = (network.source(a_request(each)) for each in ("192.0.2.1", "192.0.2.2"))

    assert one.exact != two.exact
    assert one.wide == two.wide


@pytest.mark.parametrize("nonsense", ["", "unknown", "_hidden", "1.2.3", "::1::2", "x" * 999])
def test_whoever_has_no_address_is_one_source_that_counts(nonsense: str) -> None:
    network = Network(KEY, trusted_proxies=1, is_demo=True)
    source = network.source(a_request("127.0.0.1", f"1.1.1.1, {nonsense or '-'}"))

    assert source.keys
    assert source.exact == network.source(a_request("127.0.0.1", "what?")).exact


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_has_networks(text: str) -> None:
    exact, wide = networks(text)
    assert (exact == "unknown") == (wide == "unknown")


def test_what_the_client_wrote_left_of_our_proxies_is_not_believed() -> None:
    network = Network(KEY, trusted_proxies=2)
    honest = network.source(a_request("10.0.0.1", "192.0.2.7, 10.0.0.2"))
    forged = network.source(a_request("10.0.0.1", "8.8.8.8", "192.0.2.7, 10.0.0.2"))

    assert honest == forged
    assert Network(KEY).source(a_request("10.0.0.1", "192.0.2.7")).exact == source_of("10.0.0.1")


def test_behind_a_silent_proxy_everybody_is_one_source_that_counts() -> None:
    network = Network(KEY, trusted_proxies=1)
    source = network.source(a_request("127.0.0.1"))

    assert source.keys == (source.exact, source.wide)
    assert source.exact == Network(KEY).source(a_request("127.0.0.1")).exact


def test_a_silent_proxy_is_named_until_it_speaks() -> None:
    network = Network(KEY, trusted_proxies=1)
    assert network.problem is None

    network.source(a_request("127.0.0.1"))
    assert network.problem is not None
    assert "KEFU_TRUSTED_PROXIES=1" in network.problem

    network.source(a_request("127.0.0.1", path="/readyz"))
    assert network.problem is not None

    network.source(a_request("127.0.0.1", "192.0.2.7"))
    assert network.problem is None


def test_health_checks_past_the_proxy_are_no_problem() -> None:
    network = Network(KEY, trusted_proxies=1)
    for path in ("/healthz", "/readyz", "/metrics"):
        network.source(a_request("127.0.0.1", path=path))
    assert network.problem is None


def test_this_machine_counts_unless_it_is_the_demos_owner() -> None:
    for address in ("127.0.0.1", "::1", "127.8.9.1", "::ffff:127.0.0.1"):
        assert Network(KEY).source(a_request(address)).keys
        assert Network(KEY, is_demo=True).source(a_request(address)).keys == ()
    assert Network(KEY, is_demo=True).source(a_request("192.0.2.7")).keys


@pytest.mark.parametrize(
    "header", ["X_Forwarded_For", "Forwarded", "X_Real_IP", "X_Forwarded_Proto", "Via"]
)
def test_a_demo_behind_a_proxy_exempts_nobody(header: str) -> None:
    request = a_request("127.0.0.1", **{header: "127.0.0.1"})
    assert Network(KEY, is_demo=True).source(request).keys


def test_no_address_can_be_read_from_a_source() -> None:
    source = Network(KEY).source(a_request("192.0.2.7"))

    assert source.exact.startswith("ip:")
    assert source.wide.startswith("net:")
    assert "192" not in repr(source)
    assert source.exact != Network(b"other" * 8).source(a_request("192.0.2.7")).exact


def test_https_is_believed_from_our_own_proxy_alone() -> None:
    forged = a_request("127.0.0.1", X_Forwarded_Proto="https")
    assert Network(KEY, trusted_proxies=1).is_https(forged)
    assert not Network(KEY).is_https(forged)
    assert not Network(KEY, trusted_proxies=1).is_https(
        a_request("127.0.0.1", X_Forwarded_Proto="https, http")
    )
