"""The category `money`."""
