"""A live view that breaks on command, as a process of its own, and who breaks it."""
