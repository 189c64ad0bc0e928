"""The category `geography`."""
