"""Many pictures in, masks, counts and a report out."""
