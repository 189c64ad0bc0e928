"""Whether a task was solved: the state of the world, the facts that were stated, and the facts that were observed.

`verify` makes the verdict by these three checks; `facts` finds values and words in a text. The other parts read the
English of an answer, and only the strict verdict needs them: `negation` (a fact that is denied), `hedging` and
`extra_values` (one among other possibilities), `entities` (the value of another thing), `refusal` (a task that cannot
be done). What they know of a world comes in as a `vocabulary.Vocabulary`.
"""
