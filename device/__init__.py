"""Cameras, stages and the simulated microscope: everything that puts light on a sensor."""
