"""Solver calibration: from tolerances to the cheapest fixed-step solvers that keep them, with a report."""
