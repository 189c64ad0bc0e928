"""What other packages say about themselves does not reach who runs a command: he can do nothing about it.

Only for the command line: who imports alpha_umi keeps his own filters.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import TextIO

_OURS = Path(__file__).resolve().parents[1]
_STANDARD = sysconfig.get_path("stdlib")
_LIBRARIES = frozenset({"site-packages", "dist-packages"})
_DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


def hush() -> None:
    """Keep others' warnings off stderr: Python's, and transformers' log of the same.

    `-W` and PYTHONWARNINGS ask for the former, TRANSFORMERS_VERBOSITY for the latter; then they come.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # read when it is imported; processes started here inherit
    if sys.warnoptions:
        return
    show = warnings.showwarning

    def ours(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not _of_others(category, filename):
            show(message, category, filename, lineno, file, line)

    warnings.showwarning = ours


def _of_others(category: type[Warning], filename: str) -> bool:
    """Whether a warning is about another package: raised in it, or about the way in which we call it.

    What a user's own modules are warned of is his to mend.
    """
    path = Path(filename)
    if path.is_relative_to(_OURS):
        return issubclass(category, _DEPRECATIONS)
    return filename.startswith("<") or bool(_LIBRARIES & set(path.parts)) or path.is_relative_to(_STANDARD)
