"""https from files: checked at the start, TLS 1.2 at least, and a cookie that never travels in the clear."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess

import httpx
import pytest
from websockets.sync.client import connect

from hemonode.errors import HemonodeError
from hemonode.runtime.web.tls import tls_context

TOKEN = "correct-horse-battery"

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl, which makes certificates, is not here"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    curve = ("-pkeyopt", "ec_paramgen_curve:prime256v1")
    key = ("-newkey", "ec", *curve, "-nodes", "-days", "2", "-subj", "/CN=localhost")
    openssl("req", "-x509", *key, "-keyout", "key.pem", "-out", "cert.pem", "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("genpkey", "-algorithm", "ed25519", "-out", "other.pem")
    openssl("genpkey", "-algorithm", "ec", *curve, "-out", "alike.pem")
    openssl("pkey", "-in", "key.pem", "-aes256", "-passout", "pass:secret", "-out", "locked.pem")
    (folder / "junk.pem").write_text("not a certificate")
    return folder


def test_the_page_its_stream_and_its_cookie_travel_encrypted(web, files):
    tls = tls_context(files / "cert.pem", files / "key.pem")
    with web.serving(token=TOKEN, tls=tls) as served:
        trusted = ssl.create_default_context(cafile=files / "cert.pem")
        with httpx.Client(base_url=served.url, verify=trusted, timeout=20) as browser:
            cookie = browser.post("/login", data={"token": TOKEN}).headers["set-cookie"]
            assert cookie.startswith("__Host-hemonode_session_0=")
            assert "secure" in cookie.lower()
            assert browser.get("/api/status").status_code == 200
        bearer = {"authorization": f"Bearer {TOKEN}"}
        with connect(f"wss://{served.address}/stream", ssl=trusted, additional_headers=bearer) as stream:
            assert stream.recv(timeout=20)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_and_plain_http_are_refused(web, files):
    with web.serving(tls=tls_context(files / "cert.pem", files / "key.pem")) as served:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with served.raw() as raw, pytest.raises((ssl.SSLError, ConnectionResetError)):
            old.wrap_socket(raw)
        with served.raw() as raw:
            raw.sendall(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            raw.shutdown(socket.SHUT_WR)
            assert b"HTTP/1.1 200" not in raw.recv(65536)
        assert served.alive()


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("none.pem", "key.pem", "certificate .*none.pem cannot be read: No such file"),
        ("cert.pem", "none.pem", "private key .*none.pem cannot be read"),
        ("cert.pem", "other.pem", "does not belong to the certificate"),
        ("cert.pem", "alike.pem", "does not belong to the certificate"),
        ("cert.pem", "locked.pem", "has a password"),
        ("junk.pem", "key.pem", "not a certificate and its private key"),
        ("cert.pem", "junk.pem", "not a certificate and its private key"),
        (".", "key.pem", "cannot be read: Is a directory"),
    ],
)
def test_files_that_cannot_be_used_are_told_in_a_sentence(files, certificate, key, said):
    with pytest.raises(HemonodeError, match=said):
        tls_context(files / certificate, files / key)
