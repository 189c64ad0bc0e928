"""What writes the words: the Model protocol and its implementations."""
