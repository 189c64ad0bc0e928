"""The category `contacts`."""
