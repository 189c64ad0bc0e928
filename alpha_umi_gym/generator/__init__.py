"""Tasks made from the tools: a request in words, the calls that answer it, and the solution, each carried out."""
