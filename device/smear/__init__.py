"""A procedural blood smear with known truth, as the simulated microscope sees it."""
