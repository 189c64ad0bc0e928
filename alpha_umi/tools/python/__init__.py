"""A Python interpreter as a tool, in a process of its own."""
