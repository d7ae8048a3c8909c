"""Who may see the page: this machine, or whoever holds the token."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Literal

from starlette.requests import cookie_parser

from hemonode.errors import HemonodeError
from hemonode.runtime.web.attempts import Attempts

SHORTEST_TOKEN = 16
LONGEST_TOKEN = 256

Verdict = Literal["cookie", "token", "open", "no", "wait"]
"""How a request was let in ("open": no token is asked for), or that it was not."""

logger = logging.getLogger("hemonode.web")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Access:
    """Checks tokens, sessions and host names. Without a token, only this machine is served.

    Args:
        host: address that the page listens on.
        token: that is asked for; None asks for none.
        names: host names by which the page may be asked for; none: any, where there is a token.
        secure: whether the page is served by https.
        port: that it is served on.

    Raises:
        HemonodeError: an address that others can reach without a token, or a token that is easy to guess.
    """

    def __init__(
        self, host: str, token: str | None, names: Sequence[str] = (), *, secure: bool = False, port: int = 0
    ) -> None:
        if token is None and not is_loopback(host):
            raise HemonodeError(
                f"the page on {host} could be seen by everyone on the network; set a token of at least "
                f"{SHORTEST_TOKEN} characters with HEMONODE_TOKEN, --token or token_file, or leave out --host"
            )
        if token is not None:
            _check(token)
        if token is not None and not secure and not is_loopback(host):
            logger.warning(
                "The page on %s is served without https: whoever is on the same network can read token and pictures; "
                "give a certificate and a key, or keep the network to yourselves.",
                host,
            )
        self._token = None if token is None else _digest(token)
        self._names = tuple(name.lower() for name in names)
        self._attempts = Attempts()
        self._session = secrets.token_urlsafe(32)
        self._port = port
        self.secure = secure

    @property
    def needs_token(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    @property
    def cookie(self) -> str:
        """Name of the session cookie; with the prefix no other name or unencrypted page can set it.

        Browsers send a machine's cookies to all its ports: with the port in it, two live views keep their own.
        """
        return f"{'__Host-' if self.secure else ''}hemonode_session_{self._port}"

    @property
    def session(self) -> str:
        """Value of the session cookie: random, of this run only, and nothing of the token."""
        return self._session

    def wait_s(self, address: str) -> float:
        """Seconds until a token from this address is looked at again; 0: now."""
        return self._attempts.wait_s(address)

    def try_token(self, candidate: str, address: str) -> bool:
        """Whether this is the token, unless the address must wait; a wrong one is counted. In constant time."""
        if self._token is None or self.wait_s(address) > 0:
            return False
        if hmac.compare_digest(_digest(candidate), self._token):
            self._attempts.right(address)
            return True
        self._attempts.wrong(address)
        return False

    def judge(self, headers: Mapping[str, str], address: str) -> Verdict:
        """Whether a request carries a session cookie from the login, or the token (Authorization: Bearer)."""
        if self._token is None:
            return "open"
        if self._has_session(headers.get("cookie", "")):
            return "cookie"
        scheme, _, candidate = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return "no"
        if self.try_token(candidate.strip(), address):
            return "token"
        return "wait" if self.wait_s(address) > 0 else "no"

    def trusts_host(self, host: str) -> bool:
        """Whether the Host header may be served: without a token only names of this machine.

        Otherwise a foreign page could point its own name at 127.0.0.1 and read the stream (DNS rebinding). An address
        in figures is no name, and cannot be pointed elsewhere.
        """
        name = host_name(host).lower()
        if self._token is None:
            return is_loopback(name)
        return not self._names or name in self._names or name == "localhost" or _is_address(name)

    def _has_session(self, cookies: str) -> bool:
        # Other programs on this machine leave cookies here as well, whatever the port. The standard library's parser
        # stops at one that it does not understand, and would miss ours behind it.
        value = cookie_parser(cookies).get(self.cookie)
        return value is not None and hmac.compare_digest(_digest(value), _digest(self._session))


def host_name(host: str) -> str:
    """The name or address in a Host header, without the port."""
    return host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]


def _check(token: str) -> None:
    if len(token) < SHORTEST_TOKEN:
        raise HemonodeError(f"the token is too short; take at least {SHORTEST_TOKEN} characters")
    if len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise HemonodeError(
            f"the token must be of at most {LONGEST_TOKEN} letters, digits and signs, without spaces; "
            "`openssl rand -hex 16` makes a good one"
        )


def _digest(text: str) -> bytes:
    # Of equal length, so that comparing tells nothing about the token's own.
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
