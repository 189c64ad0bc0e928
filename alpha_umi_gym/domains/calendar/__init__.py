"""The category `calendar`."""
