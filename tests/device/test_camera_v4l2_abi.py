"""The structures and numbers we send to Linux are those of its own header."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hemonode.device.camera.v4l2 import abi
from hemonode.device.camera.v4l2.control_table import EXPOSURE_AUTO, EXPOSURE_AUTOMATIC, EXPOSURE_MANUAL, KNOWN

HEADER = Path("/usr/include/linux/videodev2.h")
# Ours are the members of unions that we use.
RENAMED = {"size": "stepwise", "interval": "stepwise"}
OURS = re.compile("^(MEMORY|BUF|CAP|CTRL|FRMSIZE|FRMIVAL)_")
CONTROLS = {
    "exposure_ms": "EXPOSURE_ABSOLUTE",
    "slower_in_the_dark": "EXPOSURE_AUTO_PRIORITY",
    "white_balance_k": "WHITE_BALANCE_TEMPERATURE",
    "focus": "FOCUS_ABSOLUTE",
    "zoom": "ZOOM_ABSOLUTE",
}
AUTOMATIC = {
    "exposure_ms": "EXPOSURE_AUTO",
    "exposure": "EXPOSURE_AUTO",
    "gain": "AUTOGAIN",
    "white_balance_k": "AUTO_WHITE_BALANCE",
    "red_balance": "AUTO_WHITE_BALANCE",
    "blue_balance": "AUTO_WHITE_BALANCE",
    "brightness": "AUTOBRIGHTNESS",
    "hue": "HUE_AUTO",
    "focus": "FOCUS_AUTO",
}


def expected() -> dict[str, int]:
    """What we hold, by the C expression that gives it."""
    numbers = {}
    for name, value in vars(abi).items():
        if isinstance(value, int) and value >> 8 & 0xFF == ord("V") and value >> 30:
            numbers[f"VIDIOC_{name}"] = value
        elif OURS.match(name):
            numbers[f"V4L2_{name}"] = value
        elif (
            isinstance(value, type)
            and issubclass(value, ctypes.Structure)
            and (value.__doc__ or "").startswith("`struct")
        ):
            numbers |= _layout(value)
    for known in KNOWN:
        numbers[f"V4L2_CID_{CONTROLS.get(known.name, known.name.upper())}"] = known.id
        if known.automatic is not None:
            numbers[f"V4L2_CID_{AUTOMATIC[known.name]}"] = known.automatic
    modes = ("APERTURE_PRIORITY", "AUTO", "MANUAL", "SHUTTER_PRIORITY")
    numbers |= {
        f"V4L2_EXPOSURE_{mode}": value
        for mode, value in zip(modes, (*EXPOSURE_AUTOMATIC, *EXPOSURE_MANUAL), strict=True)
    }
    for name in ("YUYV", "UYVY"):
        numbers[f"V4L2_PIX_FMT_{name}"] = abi.fourcc(name)
    return numbers | {
        "V4L2_PIX_FMT_MJPEG": abi.fourcc("MJPG"),
        "V4L2_PIX_FMT_JPEG": abi.fourcc("JPEG"),
        "V4L2_PIX_FMT_BGR24": abi.fourcc("BGR3"),
        "V4L2_CID_EXPOSURE_AUTO": EXPOSURE_AUTO,
        "offsetof(struct v4l2_buffer, timestamp.tv_usec)": abi.Buffer.timestamp.offset + ctypes.sizeof(ctypes.c_long),
    }


def _layout(structure: type[ctypes.Structure]) -> dict[str, int]:
    name = structure.__doc__.split("`")[1]
    offsets = {
        f"offsetof({name}, {RENAMED.get(field[0], field[0])})": getattr(structure, field[0]).offset
        for field in structure._fields_
    }
    return {f"sizeof({name})": ctypes.sizeof(structure)} | offsets


@pytest.mark.skipif(
    shutil.which("gcc") is None or not HEADER.exists(),
    reason=f"no gcc, or no {HEADER}, to compare with; on Debian: apt install gcc linux-libc-dev",
)
def test_every_structure_and_number_is_the_headers(tmp_path):
    ours = expected()
    assert len(ours) > 150
    lines = "".join(f'printf("%llu\\n", (unsigned long long)(unsigned int)({name}));\n' for name in ours)
    source = f"#include <linux/videodev2.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {{\n{lines}}}\n"
    (tmp_path / "numbers.c").write_text(source)
    subprocess.run(["gcc", "-o", tmp_path / "numbers", tmp_path / "numbers.c"], check=True)
    told = subprocess.run([tmp_path / "numbers"], check=True, capture_output=True, text=True).stdout.split()
    assert ours == dict(zip(ours, map(int, told), strict=True))
