"""INT8 without a GPU: ranges of activations from real pictures, and the parts that 8 bits are enough for."""
