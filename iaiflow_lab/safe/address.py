"""Which internet addresses a flow may reach: public ones, and hosts that settings allow."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Networks that older tables count as public: protocol assignments, relays, documentation, and
#: an address that answers inside a cloud only, with the machine's credentials.
_SPECIAL: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    )
)
#: Addresses that only this machine or its cloud answers, with credentials in some cases, and the
#: ones that mean no address at all. Link-local ones hold the metadata services of most clouds.
_NEVER_MEANT: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "192.0.0.192/32",
        "::/128",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
        "fe80::/10",
    )
)
#: All that is given out of IPv6; the rest is site-local, multicast or unused.
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
#: Prefixes (NAT64) that carry an IPv4 address in their last 32 bits.
_TRANSLATED: Final = tuple(
    ipaddress.IPv6Network(prefix) for prefix in ("64:ff9b::/96", "64:ff9b:1::/48")
)


def is_public(address: Address) -> bool:
    """Say whether `address`, or what it carries inside, belongs to the public internet."""
    if inner := _embedded(address):
        return all(is_public(one) for one in inner)
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    refused = address.is_multicast or address.is_reserved
    return address.is_global and not refused and not any(address in one for one in _SPECIAL)


def is_never_meant(address: Address) -> bool:
    """Say whether nobody should allow `address`: link-local, a metadata service, unspecified."""
    reached = [address, *_embedded(address)]
    return any(one in network for one in reached for network in _NEVER_MEANT)


def _embedded(address: Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses to which a gateway would pass on what is sent to `address`."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
    found += address.teredo or ()
    if any(address in prefix for prefix in _TRANSLATED):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def is_allowed(host: str, port: int, allowed: Collection[str]) -> bool:
    """Say whether settings allow `host` by name: as `host`, or as `host:port`."""
    shown = f"[{host}]" if ":" in host else host
    names = {shown.lower(), f"{shown}:{port}".lower()}
    return any(entry.lower() in names for entry in allowed)
