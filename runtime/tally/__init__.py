"""Counts that mean something: fields that move under the lens, each cell counted once, where it can be judged."""
