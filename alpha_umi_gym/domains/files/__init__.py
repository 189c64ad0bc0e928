"""The category `files`."""
