"""The category `todo`."""
