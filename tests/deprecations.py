"""A pytest plugin: no test may meet a deprecation but those named here. `make check-newest` and `check-oldest` load it.

The filters of pyproject.toml let other packages' deprecations pass. Here each is listed once, whoever is to blame: a
library that warns of its caller rarely names him, since decorators and torch's modules stand between.
"""

from __future__ import annotations

import re
import warnings

import pytest

KNOWN: tuple[tuple[str, str], ...] = (
    ("`is_gradient_checkpointing` is deprecated", "peft asks transformers by its old name"),
    (r"`torch\.distributed\.all_gather", "deepspeed gathers by torch's old name"),
)
"""How the message begins, as a pattern, and why it is not ours to mend."""

_met: dict[str, str] = {}


def pytest_warning_recorded(warning_message: warnings.WarningMessage, nodeid: str) -> None:
    """Keep each deprecation, with the first test that met it."""
    if issubclass(warning_message.category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)):
        text = str(warning_message.message)
        if not any(re.match(pattern, text) for pattern, _ in KNOWN) and "/deepspeed/" not in warning_message.filename:
            _met.setdefault(f"{warning_message.filename}: {text}", nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List them."""
    for where, nodeid in sorted(_met.items()):
        terminalreporter.write_line(f"deprecated: {where}\n    first met in {nodeid or 'collecting'}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where there are any."""
    if _met and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
