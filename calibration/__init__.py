"""Choices made by measurement: peak thresholds now, solver and optics later."""
