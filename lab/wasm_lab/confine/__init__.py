"""A process with walls: what it may open, how much it may use, and its end. Knows nothing of what runs inside."""
