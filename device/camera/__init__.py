"""Cameras behind one contract; `open_camera` chooses by the source that was named."""
