"""A comparison as tables: for a terminal, Markdown, CSV, LaTeX and HTML, all out of the same sheets."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from alpha_umi.evaluation.comparison import (
    ArmRow,
    Comparison,
    Difference,
    EvaluationTable,
    Measure,
    TrainingCost,
)
from alpha_umi.evaluation.static.report import TITLES
from alpha_umi.files import write_atomically

METRIC_TITLES = {
    **{name: title.strip().removeprefix("F1, ") for name, title in TITLES.items()},
    "easy_f1": "F1, no arguments",
    "hard_f1": "F1, arguments",
    "pass_rate": "Pass rate",
    "pass_rate_basic": "Basic checks",
    "failed_calls": "Failed calls",
}
"""The paper's column heads, and ours."""
LEGEND = (
    "In percent with 95 % intervals; differences are to the first row, p after Holm. "
    "Marked *: best, or not to be told from the best."
)
_HEAD = (
    *("evaluation", "arm", "team", "metric", "value", "low", "high", "n", "runs", "difference", "difference_low"),
    *("difference_high", "p", "p_holm", "test", "best", "tokens", "seconds", "tokens_per_pass", "seconds_per_pass"),
    *("trained_parameters", "all_parameters", "training_tokens", "training_seconds", "folders"),
)


@dataclass(frozen=True)
class Cell:
    """What stands in one place: lines of text, and whether it is marked."""

    lines: tuple[str, ...]
    marked: bool = False


@dataclass(frozen=True)
class Sheet:
    """One table, whatever it is written as. The first column names the arm."""

    title: str
    head: tuple[str, ...]
    body: tuple[tuple[Cell, ...], ...]


def sheets(comparison: Comparison) -> Iterator[Sheet]:
    """The tables of a comparison: quality, cost and difficulty of each evaluation, then training."""
    for name, found in comparison.evaluations.items():
        yield _quality(name, found)
        yield _costs(name, found)
        if len({title for row in found.arms.values() for title in row.by_difficulty}) > 1:
            yield _difficulties(name, found)
        if any(row.pass_hat_k for row in found.arms.values()):
            yield _repeats(name, found)
    if comparison.training:
        yield _training(comparison)


def remarks(comparison: Comparison) -> Iterator[str]:
    """What stands below the tables, a line each."""
    yield LEGEND
    for name, found in comparison.evaluations.items():
        unit = "tasks" if found.kind == "agent" else "trajectories"
        shown = f"{100 * found.smallest_difference:.0f} points or more"
        yield f"{name}: {found.clusters} {unit} can show a difference of {shown}"
    yield from comparison.notes
    yield from (f"no result of {arm}: {why}" for arm, why in comparison.failed.items())


def _quality(name: str, found: EvaluationTable) -> Sheet:
    metrics = list(dict.fromkeys(metric for row in found.arms.values() for metric in row.metrics))
    body = tuple(
        (Cell((arm,)), *(_measure(row.metrics.get(metric)) for metric in metrics)) for arm, row in found.arms.items()
    )
    units = f"{found.n} tasks" if found.kind == "agent" else f"{found.n} steps of {found.clusters} trajectories"
    title = f"{name}: {units}, judged by {found.judged_by}"
    return Sheet(title, ("", *(METRIC_TITLES.get(metric, metric) for metric in metrics)), body)


def _measure(measure: Measure | None) -> Cell:
    if measure is None:
        return Cell(("-",))
    lines = [f"{_percent(measure.value)} [{_percent(measure.low)}, {_percent(measure.high)}]"]
    if measure.difference is not None:
        lines.append(_difference(measure.difference))
    return Cell(tuple(lines), measure.best)


def _difference(found: Difference) -> str:
    return f"{_signed(found.value)} [{_signed(found.low)}, {_signed(found.high)}] {_p(found.p_holm)}"


def _costs(name: str, found: EvaluationTable) -> Sheet:
    unit = "task" if found.kind == "agent" else "step"
    head = ["", f"tokens a {unit}", f"seconds a {unit}"]
    if found.kind == "agent":
        head += ["tokens a passed task", "seconds a passed task"]
    body = []
    for arm, row in found.arms.items():
        cost = row.cost
        values = [_number(cost.tokens), _number(cost.seconds, 1)]
        if found.kind == "agent":
            values += [_number(cost.tokens_per_pass), _number(cost.seconds_per_pass, 1)]
        body.append(_row(arm, values))
    return Sheet(f"{name}: cost", tuple(head), tuple(body))


def _difficulties(name: str, found: EvaluationTable) -> Sheet:
    first = next(iter(found.arms.values())).by_difficulty
    head = ("", *(f"{title} call{'s' * (title != '1')}, n {each.n}" for title, each in first.items()))
    return Sheet(
        f"{name}: pass rate by the calls that a task needs",
        head,
        tuple((Cell((arm,)), *(_difficulty(row, title) for title in first)) for arm, row in found.arms.items()),
    )


def _difficulty(row: ArmRow, title: str) -> Cell:
    found = row.by_difficulty[title]
    tokens = "none passed" if found.tokens_per_pass is None else f"{_number(found.tokens_per_pass)} tokens a pass"
    return Cell((f"{_percent(found.value)} [{_percent(found.low)}, {_percent(found.high)}]", tokens))


def _repeats(name: str, found: EvaluationTable) -> Sheet:
    most = max(len(row.pass_hat_k) for row in found.arms.values())
    body = tuple(
        _row(arm, [_percent(row.pass_hat_k[k]) if k in row.pass_hat_k else "-" for k in range(1, most + 1)])
        for arm, row in found.arms.items()
    )
    return Sheet(
        f"{name}: pass^k, the chance that k runs of a task all pass",
        ("", *(f"pass^{k}" for k in range(1, most + 1))),
        body,
    )


def _training(comparison: Comparison) -> Sheet:
    body = []
    for arm, cost in comparison.training.items():
        parameters = [_millions(cost.trained_parameters), _millions(cost.all_parameters)]
        body.append(_row(arm, [*parameters, _number(cost.tokens), _number(cost.seconds)]))
    head = ("", "parameters trained", "of all", "training tokens", "training seconds")
    return Sheet("Training, of one seed", head, tuple(body))


def _row(arm: str, values: Sequence[str]) -> tuple[Cell, ...]:
    return (Cell((arm,)), *(Cell((value,)) for value in values))


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}"


def _p(p: float) -> str:
    return "p <.001" if p < 0.001 else f"p {p:.3f}".replace("0.", ".", 1)


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f} M"


def render(comparison: Comparison) -> RenderableType:
    """For a terminal: quality with a row for each arm and metric, so that eighty columns are enough."""
    parts: list[RenderableType] = []
    quality = {_quality(name, found).title: found for name, found in comparison.evaluations.items()}
    for sheet in sheets(comparison):
        parts += [Text(sheet.title), _narrow(quality[sheet.title]) if sheet.title in quality else _table(sheet)]
    return Group(*parts, *(Text(remark) for remark in remarks(comparison)))


def _table(sheet: Sheet) -> Table:
    table = Table(show_lines=any(len(cell.lines) > 1 for row in sheet.body for cell in row))
    for i, head in enumerate(sheet.head):
        table.add_column(escape(head), justify="right" if i else "left")
    for row in sheet.body:
        table.add_row(*(Text("\n".join(_marked(cell))) for cell in row))
    return table


def _narrow(found: EvaluationTable) -> Table:
    table = Table()
    table.add_column("", overflow="fold")
    for head in ("%", "95 % interval", "difference", "95 % interval", "p"):
        table.add_column(head, justify="right", no_wrap=True)
    for metric in dict.fromkeys(metric for row in found.arms.values() for metric in row.metrics):
        table.add_row(Text(METRIC_TITLES.get(metric, metric), style="bold"))
        for arm, row in found.arms.items():
            if (measure := row.metrics.get(metric)) is not None:
                style = "bold" if measure.best else ""
                table.add_row(*(Text(text, style=style) for text in (f" {arm}", *_line(measure))))
        table.add_section()
    return table


def _line(measure: Measure) -> list[str]:
    """One measure in the columns of a terminal's table."""
    mark = "*" if measure.best else " "
    line = [f"{_percent(measure.value)}{mark}", f"{_percent(measure.low)} to {_percent(measure.high)}"]
    if (found := measure.difference) is not None:
        line += [_signed(found.value), f"{_signed(found.low)} to {_signed(found.high)}", _p(found.p_holm)[2:]]
    return line


def _marked(cell: Cell) -> list[str]:
    first, *others = cell.lines
    return [f"{first} *" if cell.marked else first, *others]


def markdown(comparison: Comparison) -> str:
    """As Markdown, with every run behind it."""
    parts = []
    for sheet in sheets(comparison):
        lines = [f"**{_in_markdown(sheet.title)}**", "", _markdown_row(sheet.head)]
        lines.append("|" + " --- |" + " ---: |" * (len(sheet.head) - 1))
        for row in sheet.body:
            cells = []
            for cell in row:
                first, *others = map(_in_markdown, cell.lines)
                cells.append("<br>".join([f"**{first}** \\*" if cell.marked else first, *others]))
            lines.append("| " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    parts.append("\n".join(f"- {_in_markdown(remark)}" for remark in remarks(comparison)))
    parts.append("\n".join(["Runs:", "", *(f"- {_in_markdown(run)}" for run in run_list(comparison))]))
    return "\n\n".join(parts) + "\n"


def run_list(comparison: Comparison) -> list[str]:
    """Every run behind a comparison."""
    return [
        f"{name}, {arm} ({row.team}): {folder}"
        for name, found in comparison.evaluations.items()
        for arm, row in found.arms.items()
        for folder in row.folders
    ]


def _markdown_row(head: Sequence[str]) -> str:
    return "| " + " | ".join(map(_in_markdown, head)) + " |"


def _in_markdown(text: str) -> str:
    for character in "\\|*_<>`":
        text = text.replace(character, "\\" + character)
    return text


def latex(comparison: Comparison) -> str:
    """As LaTeX: one `table` for each sheet, with rules of `booktabs`."""
    parts = ["% needs \\usepackage{booktabs}"]
    for sheet in sheets(comparison):
        columns = "l" + "r" * (len(sheet.head) - 1)
        lines = ["\\begin{table}", "\\centering", f"\\caption{{{_in_latex(sheet.title)}}}"]
        lines += [f"\\begin{{tabular}}{{{columns}}}", "\\toprule"]
        lines += [" & ".join(map(_in_latex, sheet.head)) + " \\\\", "\\midrule"]
        for row in sheet.body:
            for i in range(max(len(cell.lines) for cell in row)):
                lines.append(" & ".join(_latex_cell(cell, i) for cell in row) + " \\\\")
        parts.append("\n".join([*lines, "\\bottomrule", "\\end{tabular}", "\\end{table}"]))
    parts.append("\n".join(f"% {remark}" for remark in (*remarks(comparison), *run_list(comparison))))
    return "\n\n".join(parts) + "\n"


def _latex_cell(cell: Cell, line: int) -> str:
    if line >= len(cell.lines):
        return ""
    text = _in_latex(cell.lines[line])
    if line:
        return f"\\footnotesize {text}"
    return f"\\textbf{{{text}}}" if cell.marked else text


def _in_latex(text: str) -> str:
    special = {"\\": "\\textbackslash{}", "^": "\\^{}", "~": "\\~{}", "<": "\\textless{}", ">": "\\textgreater{}"}
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)


def html_tables(comparison: Comparison) -> str:
    """As HTML, without a page around it."""
    parts = []
    for sheet in sheets(comparison):
        head = "".join(f"<th>{html.escape(text)}</th>" for text in sheet.head)
        rows = "".join("<tr>" + "".join(map(_html_cell, row)) + "</tr>" for row in sheet.body)
        caption = html.escape(sheet.title)
        parts.append(f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
    return "\n".join(parts)


def _html_cell(cell: Cell) -> str:
    first, *others = map(html.escape, _marked(cell))
    shown = f"<strong>{first}</strong>" if cell.marked else first
    return "<td>" + "".join([shown, *(f"<br><small>{line}</small>" for line in others)]) + "</td>"


Value = str | float | None
"""What stands in one place of a long table; a truth is 0 or 1."""


def rows(comparison: Comparison) -> list[list[Value]]:
    """One row for each arm and metric, after a row of heads: for CSV, a data frame, a table of W&B."""
    found: list[list[Value]] = [list(_HEAD)]
    for name, table in comparison.evaluations.items():
        for arm, row in table.arms.items():
            behind = _behind(row, comparison.training.get(arm))
            for metric, m in row.metrics.items():
                value: list[Value] = [name, arm, row.team, metric, m.value, m.low, m.high, m.n, len(m.runs)]
                d = m.difference
                compared: list[Value] = [None] * 6 if d is None else [d.value, d.low, d.high, d.p, d.p_holm, d.test]
                found.append([*value, *compared, int(m.best), *behind])
    return found


def _behind(row: ArmRow, training: TrainingCost | None) -> list[Value]:
    """What an arm cost, and where its runs lie."""
    cost = row.cost
    found: list[Value] = [cost.tokens, cost.seconds, cost.tokens_per_pass, cost.seconds_per_pass]
    if training is None:
        found += [None] * 4
    else:
        found += [training.trained_parameters, training.all_parameters, training.tokens, training.seconds]
    return [*found, ";".join(row.folders)]


def csv_text(comparison: Comparison) -> str:
    """As CSV, by `rows`."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows(comparison))
    return stream.getvalue()


def write_comparison(folder: str | Path, comparison: Comparison) -> None:
    """Write `comparison.{md,csv,tex,json}`, a forest plot `EVALUATION.svg` for each evaluation, and `report.html`."""
    from alpha_umi.evaluation.forest_plot import forest_plot
    from alpha_umi.evaluation.report_page import report_page

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "comparison.md": markdown(comparison),
        "comparison.csv": csv_text(comparison),
        "comparison.tex": latex(comparison),
        "comparison.json": comparison.model_dump_json(indent=2) + "\n",
        **{f"{name}.svg": forest_plot(found) for name, found in comparison.evaluations.items()},
        "report.html": report_page(comparison, folder.name),
    }
    for name, text in texts.items():
        write_atomically(folder / name, text)
