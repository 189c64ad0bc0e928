"""Tools of a Model Context Protocol server."""
