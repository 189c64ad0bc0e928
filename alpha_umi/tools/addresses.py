"""Which network addresses a tool may reach: the guard against requests forged for the inside of a network (SSRF).

A name is looked up once, every address found is checked, and only checked addresses are returned to connect to,
so a name server that changes its answer in between (DNS rebinding) gains nothing. Numbers written as decimal or
hex hosts go the same way, since the system's resolver reads them. Knows nothing of HTTP.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import threading
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from alpha_umi.errors import UsageError, WorkError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_INSIDE = tuple(
    map(ipaddress.ip_network, ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "fec0::/10"))
)
"""Not reachable from outside, yet called global by some versions of `ipaddress`."""
_METADATA = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
"""Where clouds keep their metadata beside the link-local 169.254.169.254 (AWS and Google over IPv6, Alibaba, Azure,
Oracle): it holds keys to the account, so it is never reached by allowing everything private."""


class AddressRefused(WorkError):
    """A host, or every address that it has, must not be reached."""


@dataclass(frozen=True)
class AddressGuard:
    """Lets public addresses pass, and those inside only where the user said so."""

    allow_private: bool = False
    """Loopback and private networks may be reached; link-local ones and a cloud's metadata still must be named."""
    hosts: frozenset[tuple[str, int | None]] = frozenset()
    """Hosts that may be reached wherever they are, each on one port or (None) on all."""

    @classmethod
    def of(cls, allow: bool | Collection[str]) -> AddressGuard:
        """True, False, or a collection of hosts: `intranet`, `10.0.0.5:8080`, `[::1]:80`."""
        if isinstance(allow, str):
            raise UsageError(f"allow_private takes True, False or a list of hosts, not the text {allow!r}")
        if isinstance(allow, bool):
            return cls(allow_private=allow)
        return cls(hosts=frozenset(_host_and_port(host) for host in allow))

    def addresses(self, host: str, port: int, *, timeout_s: float | None = None) -> list[str]:
        """The addresses of a host that may be connected to.

        Raises:
            AddressRefused: none of its addresses may be reached.
            OSError: the name is unknown, or its name server does not answer in time.
        """
        found = _look_up(host, port, timeout_s)
        name = _plain(host)
        if (name, None) in self.hosts or (name, port) in self.hosts:
            return found
        reasons = {address: self._refusal(ipaddress.ip_address(address)) for address in found}
        if good := [address for address, reason in reasons.items() if reason is None]:
            return good
        address, reason = next(iter(reasons.items()))
        shown = host if address == name else f"{host} ({address})"
        raise AddressRefused(f"{shown} is {reason} and must not be reached unless the user allows it (allow_private)")

    def _refusal(self, address: _Address) -> str | None:
        """What kind of address this is if it must not be reached."""
        address = _unwrapped(address)
        if address.is_multicast or (address.is_reserved and not address.is_loopback):
            return "no address of one host"
        if address.is_link_local or address in _METADATA:
            return "a link-local address or another where clouds keep their metadata"
        if self.allow_private:
            return None
        if address.is_loopback or address.is_unspecified:
            return "this machine itself"
        inside = any(address in network for network in _INSIDE if network.version == address.version)
        return "inside a private network" if inside or not address.is_global else None


def literal_hosts(url: str) -> list[str]:
    """The host and port of a URL if they are written as an address or as `localhost`, else nothing.

    Someone who types `http://localhost:8000/...` means that very place; a name may point anywhere tomorrow.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        if host != "localhost":
            ipaddress.ip_address(host)
    except ValueError:
        return []
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"] if port else []


def _host_and_port(text: str) -> tuple[str, int | None]:
    bare = text.strip()
    if bare.count(":") > 1 and not bare.startswith("["):
        bare = f"[{bare}]"  # an IPv6 address written without brackets
    wrong = UsageError(f"allow_private: {text!r} is no host; write NAME, NAME:PORT or an address")
    try:
        parts = urlsplit(f"//{bare}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if not host or parts.netloc != bare or re.search(r"[\s@]", bare):
        raise wrong
    return _plain(host), port


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def _unwrapped(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _look_up(host: str, port: int, timeout_s: float | None) -> list[str]:
    """Each address of a host once, in the resolver's order. In a thread, since the resolver knows no time limit."""
    done: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def work() -> None:
        try:
            found = socket.getaddrinfo(_plain(host), port, type=socket.SOCK_STREAM)
            done.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except Exception as error:  # of a hostile name too: whoever waits must hear of it
            done.put(error if isinstance(error, OSError) else OSError("this is no name of a host"))

    threading.Thread(target=work, name="alpha-umi-resolver", daemon=True).start()
    try:
        result = done.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError("the name server does not answer") from None
    if isinstance(result, OSError):
        raise result
    return result
