"""Bundles: the one thing that crosses from training to the device."""
