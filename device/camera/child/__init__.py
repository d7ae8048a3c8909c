"""Cameras whose drivers can hang, each in a process of its own that can be killed."""
