"""The machine itself: board, processor, memory, power, temperatures, and what is plugged into it."""
