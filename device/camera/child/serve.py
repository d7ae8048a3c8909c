"""The camera's side: opens it, gives its newest picture when one is asked for, and answers questions about it."""

from __future__ import annotations

import importlib
import select
import signal
import threading
import traceback
from dataclasses import asdict

from hemonode.device.camera.child.channel import Channel, Message
from hemonode.device.camera.child.drain import Drain
from hemonode.device.camera.child.memory import SharedPicture, new_picture
from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError, HemonodeError

TELLS_DAMAGED_EVERY_S = 0.5
"""Where nothing but incomplete pictures comes."""


def serve(pictures: Channel, questions: Channel) -> None:
    """Until the other process closes the channel of the pictures."""
    try:
        asked = pictures.receive()
        assert asked is not None
        camera = _opened(pictures, asked[0])
    except EOFError:
        return
    if camera is None:
        return
    # Libraries of drivers put handlers of their own there.
    ignore_signals()
    threading.Thread(target=_answer, args=(camera, questions), name="questions", daemon=True).start()
    try:
        _give_pictures(camera, pictures)
    except EOFError:
        camera.close()


def ignore_signals() -> None:
    """Ctrl-C, and the end of a service, which systemd tells all its processes: the program ends us when it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _opened(pictures: Channel, asked: Message) -> Camera | None:
    try:
        module = importlib.import_module(asked["module"])
        camera: Camera = module.open_camera(asked["source"], asked["rate_hz"], asked["loop"])
    except Exception as error:  # whatever a driver throws is told to the other process
        pictures.send(_told(error))
        return None
    opened = {
        "name": camera.name,
        "identity": camera.identity,
        "remarks": camera.remarks,
        "patience_s": camera.patience_s,
    }
    pictures.send(opened)
    return camera


def _give_pictures(camera: Camera, pictures: Channel) -> None:
    drain = Drain(camera)
    room: SharedPicture | None = None
    while True:
        pictures.receive()
        told = camera.damaged
        # Meanwhile the other process may have enough of waiting.
        while not _wait(drain, pictures):
            if camera.damaged != told:
                told = camera.damaged
                pictures.send({"damaged": told})
        newest = drain.take()
        if not isinstance(newest, Frame):
            end = {"ended": True} if newest is None else _told(newest)
            pictures.send(end | {"damaged": camera.damaged})
            continue
        try:
            room, fresh = _room(room, newest.pixels.nbytes)
        except DeviceError as error:
            pictures.send(_told(error))
            continue
        room.put(newest.pixels)
        pictures.send(_described(newest, camera.damaged), [room.descriptor] if fresh else [])


def _wait(drain: Drain, pictures: Channel) -> bool:
    """Whether there is something to take; False after a while without."""
    waiting = select.poll()
    waiting.register(drain.news, select.POLLIN)
    waiting.register(pictures, select.POLLIN)
    ready = [fileno for fileno, _ in waiting.poll(round(1000 * TELLS_DAMAGED_EVERY_S))]
    if pictures.fileno() in ready:
        raise EOFError
    return bool(ready)


def _room(room: SharedPicture | None, size_bytes: int) -> tuple[SharedPicture, bool]:
    """Room for a picture, and whether it is new: cameras may change their size."""
    if room is not None and size_bytes <= room.size_bytes:
        return room, False
    larger = new_picture(size_bytes)
    if room is not None:
        room.close()
    return larger, True


def _described(frame: Frame, damaged: int) -> Message:
    height, width, _ = frame.pixels.shape
    return {
        "height": height,
        "width": width,
        "sequence": frame.sequence,
        "captured_ns": frame.captured_ns,
        "um_per_px": frame.um_per_px,
        "damaged": damaged,
    }


def _answer(camera: Camera, questions: Channel) -> None:
    try:
        while (asked := questions.receive()) is not None:
            questions.send(_answered(camera, asked[0]))
    except EOFError:
        # The process ends with the channel of the pictures.
        return


def _answered(camera: Camera, question: Message) -> Message:
    try:
        if question["set"] is None:
            controls = camera.controls()
        else:
            value, automatic = question["value"], question["automatic"]
            controls = (camera.set_control(question["set"], value=value, automatic=automatic),)
    except Exception as error:  # as in `_opened`
        return _told(error)
    return {"controls": [asdict(control) for control in controls]}


def _told(error: BaseException) -> Message:
    """An error in words. What is not ours goes to the log, too, with where it came from."""
    if isinstance(error, HemonodeError):
        return {"error": str(error)}
    traceback.print_exception(error)
    return {"error": f"The camera's driver failed ({type(error).__name__}: {error}); see the log."}
