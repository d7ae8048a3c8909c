"""https from files: certificate and key are checked at the start, with a sentence where they cannot be used."""

from __future__ import annotations

import ssl
from pathlib import Path

from hemonode.errors import HemonodeError

# What OpenSSL says where the certificate was read and the key is another's; the last where it is of another kind.
_MISMATCH = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the server speaks TLS 1.2 or newer with.

    Raises:
        HemonodeError: a file cannot be read, is not PEM, has a password, or the two do not belong together.
    """
    for path, what in ((certificate, "certificate"), (key, "private key")):
        try:
            path.read_bytes()
        except OSError as error:
            raise HemonodeError(f"the {what} {path} cannot be read: {error.strerror}") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise HemonodeError(_sentence(error, certificate, key)) from error
    return context


def _no_password() -> str:
    # OpenSSL would ask for one on the terminal, which a service does not have.
    raise HemonodeError(
        "the private key has a password; give a key without one: openssl pkey -in key.pem -out plain.pem"
    )


def _sentence(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if error.reason in _MISMATCH:
        return f"the private key {key} does not belong to the certificate {certificate}"
    return (
        f"{certificate} and {key} are not a certificate and its private key in PEM form, the server's own first: "
        f"{(error.reason or 'unreadable').lower().replace('_', ' ')}"
    )
