"""Brings the pages that stay outside docs/ into the site, and points every link where the site has its target.

Links are written for the git host: relative to the file they stand in.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]

OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "roles/README.md": "folders/roles.md",
    "roles/teams/default/README.md": "folders/default-team.md",
    "prompts/README.md": "folders/prompts.md",
    "training/README.md": "folders/training.md",
    "launch/README.md": "folders/launch.md",
    "experiments/README.md": "folders/experiments.md",
}
"""Files of the repository, and the pages that they are."""

_FILES = {page: file for file, page in OUTSIDE.items()}
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(?=[)#])")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie elsewhere."""
    for file, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Replace what links name in the repository by what it is in the site."""
    here = page.file.src_uri
    folder = posixpath.dirname(_FILES.get(here, f"docs/{here}"))

    def moved(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[1]))
        target = OUTSIDE.get(target, target.removeprefix("docs/"))
        return posixpath.relpath(target, posixpath.dirname(here) or ".")

    return _LINK.sub(moved, markdown)
