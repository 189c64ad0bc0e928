"""The agent behind a protocol that other programs speak."""
