"""Segmentation, detection and counting figures with their uncertainty; imports no torch."""
