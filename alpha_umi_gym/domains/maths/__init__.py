"""The category `maths`."""
