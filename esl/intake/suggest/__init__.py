"""A mapping proposed for a file nobody has seen before: every choice with its evidence."""
