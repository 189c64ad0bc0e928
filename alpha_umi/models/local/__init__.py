"""Models on this machine: their weights found, loaded and generating."""
