"""Whether a request was made by another site's page, as far as a browser tells."""

from __future__ import annotations

from collections.abc import Mapping


def foreign(headers: Mapping[str, str], *, changing: bool, path: str) -> str | None:
    """Why a request must be refused; None: it comes from our own page, or from a program, which says nothing.

    Browsers send Origin with every WebSocket and every request that is no GET, and pages cannot forge it; "null" is a
    page in a sandbox. Sec-Fetch-Site, which newer ones send with everything, tells of pictures and links, too.

    Args:
        headers: by lower-case name.
        changing: whether it could change something: a WebSocket counts, since it is not bound to an origin.
        path: that is asked for.
    """
    origin = headers.get("origin")
    if origin is not None and not _is_ours(origin, headers.get("host", "")):
        return "another site's page may not ask for this"
    site = headers.get("sec-fetch-site")
    if site in (None, "same-origin"):
        return None
    if changing:
        return "another site's page may not ask for this"
    if site == "none" or (headers.get("sec-fetch-mode") == "navigate" and path in ("/", "/login")):
        return None  # typed into the address bar, or a link to the page
    return "another site's page may not show this"


def _is_ours(origin: str, host: str) -> bool:
    scheme, separator, name = origin.partition("://")
    return scheme in ("http", "https") and separator != "" and name.lower() == host.lower()
