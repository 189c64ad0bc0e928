"""The category `shop`."""
