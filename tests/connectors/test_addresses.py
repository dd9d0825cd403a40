"""Which addresses are of the open internet, and which inside hosts an admin has named."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from connectors.media.addresses import PrivateHosts, is_public

INSIDE = st.sampled_from(
    [
        "127.0.0.0",
        "10.0.0.0",
        "172.16.0.0",
        "192.168.0.0",
        "169.254.0.0",
        "100.64.0.0",
        "198.18.0.0",
        "224.0.0.0",
        "240.0.0.0",
        "0.0.0.0",  # noqa: S104 - a network, nothing is bound
    ]
).flatmap(
    lambda net: st.integers(0, 0xFFFF).map(lambda low: IPv4Address(int(IPv4Address(net)) + low))
)


def embedded(v4: IPv4Address) -> dict[str, IPv6Address]:
    """The ways to write an IPv4 address as an IPv6 one that leads to it."""
    n = int(v4)
    return {
        "mapped": IPv6Address((0xFFFF << 32) | n),
        "compatible": IPv6Address(n),
        "translated": IPv6Address((0xFFFF << 48) | n),
        "nat64": IPv6Address((0x64FF9B << 96) | n),
        "local nat64": IPv6Address((0x64FF9B0001 << 80) | n),
        "6to4": IPv6Address((0x2002 << 112) | (n << 80) | 1),
        "teredo server": IPv6Address((0x20010000 << 96) | (n << 64)),
        "teredo client": IPv6Address((0x20010000 << 96) | (n ^ 0xFFFFFFFF)),
        "isatap": IPv6Address((0x26064700 << 96) | (0x5EFE << 32) | n),
        "isatap, global": IPv6Address((0x26064700 << 96) | (0x02005EFE << 32) | n),
    }


@given(INSIDE)
def test_an_inside_address_is_inside_however_it_is_wrapped(v4: IPv4Address) -> None:
    assert not is_public(str(v4))
    for name, v6 in embedded(v4).items():
        assert not is_public(str(v6)), name
        assert not is_public(v6.exploded), name


@given(st.ip_addresses())
def test_what_is_public_here_is_public_to_the_standard_library(
    address: IPv4Address | IPv6Address,
) -> None:
    if is_public(str(address)):
        mapped = getattr(address, "ipv4_mapped", None)
        assert (mapped or address).is_global


@given(st.text(max_size=60))
def test_what_is_no_address_is_not_public(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        assert not is_public(text)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2400:3200::1"],
)
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "100.100.100.200",  # the metadata service of Alibaba Cloud
        "168.63.129.16",  # Azure's
        "169.254.169.254",
        "fd00:ec2::254",
        "fec0::1",
        "fe80::1",
        "fe80::1%lo",
        "2606:4700:4700::1111%eth0",
        "ff02::1",
        "::",
        "::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "64:ff9b:1::808:808",
        "2002:808:808::1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "",
    ],
)
def test_what_only_looks_public_is_not(address: str) -> None:
    assert not is_public(address)


# ---------------------------------------------------------------------- hosts that an admin named

HOSTS = TypeAdapter(PrivateHosts)


@pytest.mark.parametrize(
    ("named", "url", "is_meant"),
    [
        ("127.0.0.1:3000", "http://127.0.0.1:3000/a.png", True),
        ("127.0.0.1:3000", "http://127。0。0。1:3000/a.png", True),  # the same to who connects
        ("127.0.0.1:3000", "http://127.0.0.1:3001/a.png", False),
        ("127.0.0.1:3000", "http://127.0.0.1/a.png", False),
        ("127.0.0.1:3000", "http://localhost:3000/a.png", False),
        ("127.0.0.1", "http://127.0.0.1/a.png", True),
        ("127.0.0.1", "https://127.0.0.1/a.png", True),
        ("127.0.0.1", "http://127.0.0.1:443/a.png", False),
        ("127.0.0.1", "http://127.0.0.1:6379/", False),
        ("napcat.lan", "http://NapCat.LAN./a.png", True),
        ("napcat.lan", "http://evil.napcat.lan/a.png", False),
        ("napcat.lan:3000", "http://napcat.lan.evil.example:3000/", False),
        ("[fd00::1]:3000", "http://[FD00:0::1]:3000/", True),
        ("fd00::1", "http://[fd00::1]/", True),
        ("图片.lan", "http://xn--flw351e.lan/", False),
        ("图片.lan", "http://图片.lan/", True),
    ],
)
def test_a_named_host_is_that_host_and_port_alone(named: str, url: str, is_meant: bool) -> None:
    (host,) = HOSTS.validate_python([named])
    assert host.is_meant_by(URL(url)) is is_meant


@pytest.mark.parametrize(
    "named",
    [
        "",
        " ",
        "http://napcat.lan",
        "a/b",
        "a b",
        "user@a",
        "a:0",
        "a:99999",
        "a:b",
        "*",
        "*.lan",
        "a:1:2",
    ],
)
def test_what_is_no_host_is_refused(named: str) -> None:
    with pytest.raises(ValidationError, match=r"127\.0\.0\.1:3000"):
        HOSTS.validate_python([named])


@pytest.mark.parametrize("old", [True, "true", "yes", "on", 1])
def test_an_account_that_was_open_to_everything_is_told_what_to_write(old: object) -> None:
    with pytest.raises(ValidationError, match=r"private_media: \[127\.0\.0\.1:3000\]"):
        HOSTS.validate_python(old)


def test_none_is_the_default_and_no_is_none() -> None:
    assert HOSTS.validate_python([]) == HOSTS.validate_python(False) == ()
