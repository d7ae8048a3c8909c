"""Labelled pictures from any of the usual formats, as one sample type; imports no torch."""
