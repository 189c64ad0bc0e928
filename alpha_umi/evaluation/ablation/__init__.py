"""Role ablations: an experiment's arms, seeds and evaluations as a grid of cells, each made once and then reused.

`experiment` reads the YAML, `grid` turns it into cells addressed by what decides their results, `schedule` has each
cell worked on by a process of its own, and `outcome` makes one comparison of what they measured.
"""
