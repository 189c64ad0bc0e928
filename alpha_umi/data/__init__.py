"""Raw files -> trajectories -> step examples and training rows."""
