"""Live masks and counts from a camera, shown on a page."""
