"""The category `time`."""
