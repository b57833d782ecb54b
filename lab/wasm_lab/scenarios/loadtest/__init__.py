"""The same JSON API on several stacks, under the same load."""
