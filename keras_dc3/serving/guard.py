"""Who may ask a server at all: requests that other web sites cause are refused.

Standard library only.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Container, Iterable
from urllib.parse import urlsplit

# Sent with all: nothing is kept by what stands between, framed, or told to others.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def known_names(host: str, further: Iterable[str]) -> frozenset[str]:
    """Returns the names under which a server is asked, in small letters.

    Args:
        host: that it is bound to.
        further: names that its machine has besides.
    """
    own = {socket.gethostname(), socket.getfqdn()} if not is_local(host) else set()
    return frozenset(name.lower() for name in {"localhost", host, *own, *further})


def is_local(host: str) -> bool:
    """Whether a server that is bound to a host can be reached from its machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_known(host: str, names: Container[str]) -> bool:
    """Whether a header `Host` names the server.

    A web site that has its own name point to this machine ("DNS rebinding") is told by
    that name; an address in figures can be nobody else's.
    """
    name = urlsplit(f"//{host}").hostname if host else None
    if name is None:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.lower() in names
    return True


def is_own(origin: str | None, host: str) -> bool:
    """Whether a page of this server has sent a request, or none has.

    Args:
        origin: the header `Origin`; browsers send it with all that changes something.
        host: the header `Host`.
    """
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()
