"""Whether a task was solved: the state of the world, the facts that were stated, and the facts that were observed."""
