"""The category `units`."""
