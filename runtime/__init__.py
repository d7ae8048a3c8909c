"""From a bundle and a picture to masks and counts; never imports torch."""
