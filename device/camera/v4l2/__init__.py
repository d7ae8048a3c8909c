"""Cameras that Linux shows as video devices (V4L2), most of them on USB (UVC): a thin layer over the kernel's calls."""
