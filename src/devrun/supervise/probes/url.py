"""What an HTTP probe's URL asks for, and where a redirect leads: pure.

Besides ``http://`` and ``https://`` there is ``unix://``: the path of a socket, and behind a colon
what to ask for (``unix:///run/app.sock:/health``, as nginx writes it).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urljoin, urlsplit

_SAFE = "/%:@!$&'()*+,;=~-._?[]"
"""Characters that stand for themselves in a path or query (RFC 3986, 3.3 and 3.4), and ``%``."""

_PORTS = {"http": 80, "https": 443}

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where to ask, and for what.

    Attributes:
        host: Name or address, without brackets; goes into the request.
        path: Path and query, as they go into the request.
        socket: Path of a Unix socket, or None for TCP.
        credentials: ``user:password``, or None.
    """

    scheme: str
    host: str
    port: int
    path: str
    socket: str | None = None
    credentials: str | None = None

    @property
    def authority(self) -> str:
        """The value of the header ``Host`` (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """The URL for messages: without what may be secret."""
        path = self.path.partition("?")[0]
        if self.socket is not None:
            return f"unix://{self.socket}:{path}"
        return f"{self.scheme}://{self.authority}{path}"


def parse_url(url: str, cwd: str) -> Target:
    """Read the URL of a probe.

    Args:
        cwd: What the path of a socket may be relative to.

    Raises:
        ValueError: It is none that can be asked; the message says why.
    """
    parts = urlsplit(url.strip())
    if parts.scheme == "unix":
        socket, _, path = (parts.netloc + unquote(parts.path)).partition(":")
        query = f"?{parts.query}" if parts.query else ""
        if not socket:
            raise ValueError("it names no socket")
        where = os.path.join(cwd, socket)
        return Target("http", "localhost", 80, _asked_for(path + query), socket=where)
    if parts.scheme not in _PORTS:
        raise ValueError("it has to begin with http://, https:// or unix://")
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.port == 0:
        raise ValueError("there is no port 0")
    query = f"?{parts.query}" if parts.query else ""
    return Target(
        parts.scheme,
        _ascii(parts.hostname),
        parts.port or _PORTS[parts.scheme],
        _asked_for(parts.path + query),
        credentials=_credentials(parts.username, parts.password),
    )


def redirected(target: Target, location: str) -> Target | None:
    """Return where a redirect leads, or None if that is another host, or nowhere.

    Another port or scheme of the same host is followed, without the credentials.
    """
    base = f"{target.scheme}://{target.authority}{target.path}"
    try:
        there = parse_url(urljoin(base, location), "/")
    except ValueError:
        return None
    if there.socket is not None or not _is_same_host(there.host, target.host):
        return None
    same = (there.scheme, there.port) == (target.scheme, target.port)
    if target.socket is not None:
        return replace(target, path=there.path) if same else None
    return replace(there, credentials=target.credentials if same else None)


def accepts(statuses: tuple[tuple[int, int], ...], status: int) -> bool:
    """Whether a status code is one of those wanted."""
    return any(first <= status <= last for first, last in statuses)


def wants_redirect(statuses: tuple[tuple[int, int], ...], status: int) -> bool:
    """Whether a redirect itself is what is wanted: a range speaks of nothing but redirects."""
    return accepts(tuple(each for each in statuses if each[0] >= 300 and each[1] < 400), status)


def _is_same_host(one: str, other: str) -> bool:
    return one == other or {one, other} <= _LOOPBACK


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()


def _asked_for(path: str) -> str:
    return quote(path if path.startswith("/") else f"/{path}", safe=_SAFE)


def _credentials(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    return f"{unquote(user)}:{unquote(password or '')}"
