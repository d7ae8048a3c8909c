"""Energy meters that a machine may have: one file each, and one line in `meters.py`."""
