"""Stages: what moves the slide under the lens."""
