"""Documentation as pages: links lead somewhere on the git host and in the site, which asks nothing of other hosts."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from test_api import SURFACE

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("*/README.md")),
    *sorted(ROOT.glob("roles/teams/*/README.md")),
]


def _prose(page: Path) -> str:
    """A page without its code, where brackets and hashes mean other things."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^    .*$", "", text, flags=re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """What the git host makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\((?![a-z]+:)([^)\s]+)\)", _prose(page)):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.is_relative_to(ROOT) or not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(link)
    assert lost == []


class _Html(HTMLParser):
    """The places of a built page that can be linked to, where it links, and what it loads."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what counts of a tag."""
        values = {name: value for name, value in attrs if value}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        self.links += [values[name] for name in ("href", "src") if name in values]
        self.loaded += (
            [values["src"]] if "src" in values else [values["href"]] if tag == "link" and "href" in values else []
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.mark.slow
def test_the_site_is_whole(site: Path) -> None:
    pages = {file: _Html(file) for file in site.rglob("*.html")}
    assert len(pages) > 30
    lost, foreign = [], []
    for file, page in pages.items():
        foreign += [(file.name, link) for link in page.loaded if urlsplit(link).netloc]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            start = site if parts.path.startswith("/") else file.parent  # the page 404 is shown at any address
            target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in pages[target].ids):
                lost.append((file.relative_to(site).as_posix(), link))
    assert (lost, foreign) == ([], [])


@pytest.mark.slow
def test_the_reference_shows_every_public_name(site: Path) -> None:
    pages = [_Html(file) for file in site.glob("api/*.html")]
    shown = set().union(*(page.ids for page in pages))
    first = _Html(site / "api" / "alpha_umi.html")  # what other packages have too is linked from this page
    shown |= {f"alpha_umi.{link.rpartition('.')[2]}" for link in first.links if urlsplit(link).fragment in shown}
    public = {f"{module}.{name}" for module, names in SURFACE.items() for name in names}
    assert public - shown == set()
    assert {name for name in shown if name.endswith(".__all__")} == set()
