"""The cheapest unrolled solver that keeps a tolerance: candidates, measurements on pictures, choice and repair."""
