"""Latency and accuracy measurements, peers measured in the same run."""
