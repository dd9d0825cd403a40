"""Network addresses: of the open internet, or inside; and inside hosts that an admin has named."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated

from pydantic import BeforeValidator
from yarl import URL

_UNICAST = ip_network("2000::/3")
"""All that is handed out to the open internet. Source: RFC 4291, 2.4; IANA's registry (2026-11)."""
_NOT_OPEN = tuple(
    ip_network(one)
    for one in (
        "2001::/23",  # protocols' own, Teredo among them: it names an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4 names an IPv4 address; given up by RFC 7526
        "3fff::/20",
        "168.63.129.16/32",  # a public address that in Azure's machines leads to the platform
    )
)
_MAPPED = ip_network("::ffff:0:0/96")
_NAT64 = ip_network("64:ff9b::/96")
"""A network without IPv4 reaches it so. Source: RFC 6052."""
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
_LOW_32 = 0xFFFFFFFF


def is_public(host: str) -> bool:
    """Tell whether an IP address is one of the open internet.

    Args:
        host: As a socket takes it. A name, or an address that is written otherwise, is not public:
            only what is connected to may be judged.

    >>> [is_public(host) for host in ("8.8.8.8", "127.0.0.1", "169.254.169.254", "64:ff9b::7f00:1")]
    [True, False, False, False]
    """
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        return _is_public_v6(address)
    return _is_open(address) and address.is_global and not address.is_multicast


def _is_public_v6(address: IPv6Address) -> bool:
    low = int(address) & _LOW_32
    if address.scope_id is not None:
        return False  # only what is on our own link needs a zone
    if address in _MAPPED or address in _NAT64:
        return is_public(str(IPv4Address(low)))
    if (int(address) >> 32) & _LOW_32 in _ISATAP:
        return False
    return address in _UNICAST and _is_open(address) and address.is_global


def _is_open(address: IPv4Address | IPv6Address) -> bool:
    return not any(address in network for network in _NOT_OPEN)


@dataclass(frozen=True, slots=True)
class PrivateHost:
    """A host inside our own network from which files may be fetched.

    Attributes:
        name: As a connection is made to it: lower case, IDNA, an address in its shortest form.
        port: ``None`` for the scheme's own, 80 or 443.
    """

    name: str
    port: int | None

    def is_meant_by(self, url: URL) -> bool:
        """Tell whether a connection to this address goes to the host, by its name and its port."""
        is_port = url.is_default_port() if self.port is None else url.port == self.port
        return is_port and _name(url) == self.name


def _name(url: URL) -> str:
    return (url.raw_host or "").rstrip(".")


_YES = frozenset({"true", "yes", "on", "1"})
_HINT = "每条写一个主机，可以带端口，例如 127.0.0.1:3000 或 napcat.lan"
_OLD = "不能再写 true：写出图片所在的那一个地址，例如 private_media: [127.0.0.1:3000]"


def _host(text: object) -> PrivateHost:
    if isinstance(text, PrivateHost):
        return text
    if not isinstance(text, str) or set(text) & set("/?#@*\\%"):
        raise ValueError(_HINT)
    is_bare_v6 = text.count(":") > 1 and not text.startswith("[")
    try:
        url = URL(f"http://[{text}]" if is_bare_v6 else f"http://{text}")
        name, port = _name(url), url.explicit_port
        if ":" in name:
            ip_address(name)
    except ValueError:
        raise ValueError(_HINT) from None
    if not name or any(map(str.isspace, text)) or port == 0:
        raise ValueError(_HINT)
    return PrivateHost(name, port)


def _hosts(value: object) -> object:
    if value is False or value is None:
        return ()
    if str(value).lower() in _YES:
        raise ValueError(_OLD)
    if not isinstance(value, list | tuple):
        raise ValueError(_HINT)  # noqa: TRY004 - pydantic tells ValueErrors alone
    return value


_Checked = Annotated[PrivateHost, BeforeValidator(_host)]
PrivateHosts = Annotated[tuple[_Checked, ...], BeforeValidator(_hosts)]
"""``private_media`` of an account: nothing inside but what it names."""

__all__ = ["PrivateHost", "PrivateHosts", "is_public"]
