"""Built engines (plans): made in a child process, kept in a cache, and believed only after a check."""
