"""Everything between trajectories and tokens: prompts, what roles write, grammars, and token ids."""
