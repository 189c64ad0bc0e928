"""What a command does about garbage: nothing while it starts, nothing when it ends.

torch, transformers and langgraph make millions of objects that live as long as the process. Python's collector would go
through them again and again while they are made (a second of the start), and twice before it exits (another 1.5).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting() -> Iterator[None]:
    """Collect no garbage while libraries are imported and models loaded, and never look through what they made."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def end_quickly() -> None:
    """Let the interpreter end at once. What is registered to be done at exit is done all the same."""
    gc.freeze()
