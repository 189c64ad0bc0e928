"""The category `text`."""
