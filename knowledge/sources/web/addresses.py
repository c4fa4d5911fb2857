"""Which machines a web source may talk to. A page's author chooses links and a domain's owner chooses addresses: neither
may point Saseo at the company's inside, at this machine or at a cloud's keys.

Ranges: IANA's special-purpose registries (RFC 6890 and later), the clouds' documents for their metadata services.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""Host and port → addresses as text. Raises OSError."""


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(one) for one in text.split())


# The company's own network: allowed where the settings say so.
_PRIVATE = _networks("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 127.0.0.0/8 fc00::/7 ::1/128")
# Metadata services that lie in private or public ranges: AWS (IPv6), Alibaba, Azure.
_KEYS = _networks("fd00:ec2::254/128 100.100.100.200/32 168.63.129.16/32")
_NOT_PUBLIC = _networks("192.88.99.0/24 2001::/23 2002::/16 2001:db8::/32 3fff::/20")
_UNICAST = ipaddress.ip_network("2000::/3")
_MAPPED = _networks("::ffff:0:0/96 64:ff9b::/96")  # an IPv4 address in the last 32 bits: mapped, NAT64


def refusal(address: Address, *, allow_private: bool) -> str | None:
    """Why nothing may be sent to `address`; None if it may."""
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in _MAPPED):
        return refusal(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF), allow_private=allow_private)
    if any(address in network for network in _KEYS):
        return "a cloud's metadata service"
    if any(address in network for network in _PRIVATE):
        return None if allow_private else "an address of a private network"
    if address.is_link_local:
        return "a link-local address"
    public = address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)
    if isinstance(address, ipaddress.IPv6Address):
        public = public and address in _UNICAST
    return None if public else "not a public address"


def resolve(host: str, port: int) -> list[str]:
    """The system's answer, which also reads `127.1`, `0x7f000001` and `2130706433` as what they mean."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
