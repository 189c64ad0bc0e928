"""`--format harbour-log`: lines of port, time and answer, with tabs between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alpha_umi import Call, Decision, Observation, Outcome, Plan, Step, Tool, Trajectory
from alpha_umi.data import Report
from alpha_umi.errors import DataError

TOOL = Tool(
    name="high_water",
    parameters={"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]},
)


def read(path: str | Path, report: Report) -> Iterator[Trajectory]:
    """A trajectory of each line; one of another form is dropped as `malformed`."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        if line.count("\t") != 2:
            report.drop("malformed", f"{path}:{number}")
            continue
        yield _trajectory(f"{path}:{number}", *line.split("\t"))


def _trajectory(id: str, port: str, time: str, answer: str) -> Trajectory:
    asked = Step(
        plan=Plan(rationale="I look it up.", decision=Decision.CALL),
        call=Call(tool="high_water", arguments={"port": port}),
        observation=Observation(text=time),
    )
    told = Step(plan=Plan(rationale="I have it.", decision=Decision.SUMMARIZE))
    return Trajectory(
        query=f"When is high water at {port}?",
        tools=(TOOL,),
        steps=(asked, told),
        answer=answer,
        outcome=Outcome.ANSWERED,
        id=id,
    )
