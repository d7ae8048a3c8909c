"""From peaks and masks to cells: which, where, how large, and whether they count."""
