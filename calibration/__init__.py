"""Choices made by measurement on the device: solver tolerances and optics, in releases to come."""
