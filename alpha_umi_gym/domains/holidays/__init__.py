"""The category `holidays`."""
