"""The routes of the live view's API and page, one file for each theme."""
