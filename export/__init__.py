"""From a checkpoint to a bundle: unrolling, ONNX writing, precision and verification."""
