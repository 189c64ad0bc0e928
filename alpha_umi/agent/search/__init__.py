"""Search over steps: a tree as plain data, a frontier that walks it, and the strategies by name."""
