"""What is like what, where one port's suite does not reach: spaces of vectors over their lives."""
