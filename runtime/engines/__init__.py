"""Inference engines behind one contract, one file per engine."""
