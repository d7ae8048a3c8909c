"""The doctor: what this machine has, what is missing or broken, and what to do about it."""
