"""The category `mail`."""
