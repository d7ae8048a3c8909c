"""Network architectures: one file each, and one line in `table.py`."""
