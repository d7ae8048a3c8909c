"""Models, data sets, losses, metrics and the training loop."""
