"""The command line: one verb a file, one contract for all.

Progress goes to stderr and results to stdout. Exit 0 when the work was done, 1 when it failed, 2 when the call was
wrong; never a traceback for a user's mistake. Nothing here imports torch before a verb needs it.
"""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper

import typer
from rich.console import Console

from alpha_umi import __version__
from alpha_umi.cli.starting import end_quickly, starting
from alpha_umi.cli.third_party import hush
from alpha_umi.errors import AlphaUmiError, UsageError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What a disk that is full, or full for this user, answers."""

app = typer.Typer(
    name="alpha-umi",
    help="Three small language models that work as one tool-using agent: train, run, measure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"alpha-umi {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Options that stand before the verb."""


def _register() -> None:
    from alpha_umi.cli import (
        ablate,
        compare,
        data,
        doctor,
        evaluate,
        export,
        quickstart,
        resources_commands,
        run,
        train,
    )

    app.add_typer(data.app, name="data")
    app.add_typer(evaluate.app, name="evaluate")
    train.register(app)
    ablate.register(app)
    compare.register(app)
    run.register(app)
    export.register(app)
    quickstart.register(app)
    resources_commands.register(app)
    doctor.register(app)


def main() -> None:
    """Entry point of the `alpha-umi` command."""
    hush()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # forked data loaders would print a warning each
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a character that the terminal cannot show must not end a run
            stream.reconfigure(errors="backslashreplace")
    with starting():
        _register()
    stderr = Console(stderr=True, highlight=False)
    try:
        code = app(prog_name="alpha-umi", standalone_mode=False)
        sys.stdout.flush()  # a full disk is met here rather than at exit
        sys.exit(code if isinstance(code, int) else 0)  # typer returns the code of an Exit instead of raising it
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except typer.TyperException as error:
        _tell_wrong_call(error, stderr)
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        stderr.print("stopped")
        sys.exit(1)
    except AlphaUmiError as error:
        stderr.print("error:", str(error), markup=False, soft_wrap=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except (FileExistsError, FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        stderr.print("error:", f"{error.filename}: {error.strerror}", markup=False, soft_wrap=True)
        sys.exit(2)
    except BrokenPipeError:  # the reader (`| head`) has gone: nothing is left to say
        _drop_output()
        sys.exit(1)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        stderr.print("error:", f"{error.filename or 'writing'}: {error.strerror}", markup=False, soft_wrap=True)
        _drop_output()
        sys.exit(1)
    finally:
        end_quickly()


def _drop_output() -> None:
    """What is still to be written goes nowhere: the interpreter must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell_wrong_call(error: typer.TyperException, stderr: Console) -> None:
    """One line: what is wrong with a command's words, and where to read what is right. Without any words, the help."""
    text, context = error.format_message(), getattr(error, "ctx", None)
    if "\n" not in text:
        text = f"error: {text.rstrip('.')}" + (f"; see {context.command_path} --help" if context is not None else "")
    stderr.print(text, markup=False, soft_wrap=True)
