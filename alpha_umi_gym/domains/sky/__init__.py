"""The category `sky`."""
