"""Cameras in the network: pictures over HTTP from a server here, and what FFmpeg is left to."""

from __future__ import annotations

import logging
import socket
import threading
import time

import cv2
import numpy as np
import pytest
from camera_standins import MjpegServer, jpeg

from hemonode.device.camera import open_camera
from hemonode.device.camera.mjpeg import open_pictures
from hemonode.device.camera.source import without_credentials
from hemonode.errors import DeviceError


@pytest.fixture
def server():
    with MjpegServer() as running:
        yield running


def read_on(camera):
    for _ in range(100):
        camera.read()


@pytest.mark.parametrize("lengths", [True, False])
def test_pictures_over_http_arrive_one_by_one(server, lengths):
    server.lengths = lengths
    with open_camera(f"http://{server.address}/video") as camera:
        frames = [camera.read() for _ in range(8)]
        assert camera.damaged == 0
    for frame in frames:
        assert frame.pixels.shape == (120, 160, 3)
        assert round(frame.pixels.mean()) == 20 + 20 * (frame.sequence % 11)


@pytest.mark.parametrize("lengths", [True, False])
def test_a_picture_that_is_half_there_is_dropped_and_counted(server, lengths):
    server.lengths = lengths
    noise = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8))[1].tobytes()
    server.parts = [jpeg(60), noise[: len(noise) // 2], b"no picture", jpeg(120)]
    camera = open_pictures(f"http://{server.address}/")
    with camera:
        frames = [camera.read() for _ in range(6)]
    assert [frame.sequence for frame in frames] == [0, 3, 4, 7, 8, 11]
    assert camera.damaged == 6


def test_a_connection_that_ends_within_a_picture_shows_no_half_one(server):
    whole = jpeg(60)
    server.parts = [whole, whole[: len(whole) // 2] + MjpegServer.CUT]
    with open_camera(f"http://{server.address}/") as camera:
        assert camera.read().sequence == 0
        with pytest.raises(DeviceError, match=r"http://[^ ]* broke off .* open it again"):
            camera.read()


def test_one_that_falls_silent_is_told(server, monkeypatch):
    monkeypatch.setattr("hemonode.device.camera.mjpeg.PATIENCE_S", 0.5)
    with open_pictures(f"http://{server.address}/") as camera:
        camera.read()
        server.silent.set()
        with pytest.raises(DeviceError, match=r"sent nothing for 0\.5 s"):
            read_on(camera)


def test_closing_wakes_who_waits_for_a_picture(server):
    camera = open_pictures(f"http://{server.address}/")
    server.silent.set()
    timer = threading.Timer(0.2, camera.close)
    timer.start()
    began_s = time.monotonic()
    with pytest.raises(DeviceError, match="closed; open it again"):
        read_on(camera)
    assert time.monotonic() - began_s < 3
    timer.join()


def test_user_and_password_open_it_and_are_shown_nowhere(server, caplog):
    server.login = "me:p@ss/w"
    address = f"{server.address}/video?token=abc"
    with caplog.at_level(logging.DEBUG):
        source = f"http://me:p%40ss%2Fw@{address}"
        with open_camera(source) as camera:
            assert camera.read().pixels.shape == (120, 160, 3)
            assert camera.name == f"http://{server.address}/video"
            assert camera.identity == source
        with pytest.raises(DeviceError, match="refuses this user and password") as refused:
            open_camera(f"http://me:wr0ng@{address}")
        with pytest.raises(DeviceError) as unreachable:
            open_camera("rtsp://me:wr0ng@127.0.0.1:1/live?pwd=abc")
        with pytest.raises(DeviceError) as unknown:
            open_camera("rtmp://me:wr0ng@camera/live?pwd=abc")
    for text in (str(refused.value), str(unreachable.value), str(unknown.value), caplog.text):
        assert not any(secret in text for secret in ("p%40ss", "wr0ng", "abc"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://a:b@c:554/d?e=f", "rtsp://c:554/d"),
        ("https://a:b@x@c/d", "https://c/d"),
        ("open http://a:b@c/?d 'rtsp://e:f@g/h?i' now", "open http://c/ 'rtsp://g/h' now"),
        ("csi:0", "csi:0"),
        ("somebody@example.org?", "somebody@example.org?"),
    ],
)
def test_what_is_shown_of_an_address(text, shown):
    assert without_credentials(text) == shown


def test_an_address_where_nothing_is_says_what_to_check(server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(DeviceError, match=r"does not answer .*check the address"):
            open_camera(f"http://127.0.0.1:{free.getsockname()[1]}/")
    server.file, server.content_type = b"<html>Log in</html>", "text/html"
    with pytest.raises(DeviceError, match="cannot be opened; check the address"):
        open_camera(f"http://{server.address}/")


def test_a_picture_that_would_fill_the_memory_is_dropped(server):
    size = bytes.fromhex("007800a0")
    assert size in jpeg(60)
    server.parts = [jpeg(60).replace(size, bytes.fromhex("ffffffff")), jpeg(60)]
    with open_pictures(f"http://{server.address}/") as camera:
        assert camera.read().pixels.shape == (120, 160, 3)
        assert camera.damaged == 1


def test_one_that_announces_more_than_the_memory_is_refused(server):
    server.lengths = False
    # Of a part whose head is of lengths that nobody can mean.
    server.head = "Content-Length: 99999999999\r\n"
    with open_pictures(f"http://{server.address}/") as camera, pytest.raises(DeviceError, match="99999999999 bytes"):
        camera.read()


def test_other_video_over_http_is_left_to_ffmpeg(tmp_path, server):
    path = tmp_path / "scan.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (160, 128))
    for number in range(6):
        writer.write(np.full((128, 160, 3), 30 * number + 20, np.uint8))
    writer.release()
    server.file, server.content_type = path.read_bytes(), "video/x-msvideo"
    with open_camera(f"http://{server.address}/scan.avi", rate_hz=3.0) as camera:
        assert "keeps a rate of its own" in camera.remarks[0]
        assert camera.read().pixels.shape == (128, 160, 3)
        with pytest.raises(DeviceError, match="stopped"):
            read_on(camera)
