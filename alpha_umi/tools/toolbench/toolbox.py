"""ToolBench's environment as a Toolbox: the APIs of its tool folders, answered by a backend of the user's choice.

Names are matched whole, arguments are checked against the offered schema, and nothing is ever executed: a call is data
that goes to recorded responses or into an HTTP request. Knows nothing of retries and connections (`send` does), nor of
search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from jsonschema import Draft202012Validator

from alpha_umi.errors import ToolError, UsageError
from alpha_umi.tools.combined import refuse_duplicates
from alpha_umi.tools.protocol import MAX_OBSERVATION_CHARS, bubbles_up
from alpha_umi.tools.toolbench.folder import (
    Api,
    read_folder,
    read_json,
    standard_category,
    standard_name,
    standardize,
    tools_folder,
)
from alpha_umi.tools.toolbench.http import ApiBackend, decode
from alpha_umi.tools.toolbench.replies import (
    FINISH,
    ToolBenchReply,
    ToolBenchResult,
    code_of,
    compress,
    finish,
    judge,
    observe,
)
from alpha_umi.tools.validation import (
    check_tool,
    closest,
    find_mistakes,
    one_line,
    refuse_arguments,
    refuse_fault,
    refuse_unknown,
)
from alpha_umi.trajectory import Call, Observation, Tool


class RapidTools:
    """The APIs of a tool folder. As safe to call from several threads as its backend is."""

    def __init__(
        self,
        apis: Iterable[Api],
        backend: ApiBackend,
        *,
        examples: str | Path | None = None,
        compression: Literal["truncate", "filter"] = "truncate",
        compat: bool = False,
        offer_finish: bool = False,
        max_chars: int = MAX_OBSERVATION_CHARS,
    ) -> None:
        """Offer some APIs; `from_folder` reads them.

        Args:
            apis: what is offered, in this order.
            backend: carries out a call (`http`).
            examples: the `response_examples` folder, needed for `compression="filter"`.
            compression: `filter` keeps of a response the keys that its example has.
            compat: observations, codes and cuts exactly as in ToolBench, and no check of arguments.
            offer_finish: offer `Finish` too, for agents that end by a call.
            max_chars: longest observation, unless `compat`.
        """
        if compression not in {"truncate", "filter"}:
            raise UsageError(f"compression={compression!r}: give 'truncate' or 'filter'")
        if compression == "filter" and examples is None:
            raise UsageError("compression='filter' needs the response_examples folder (`examples`)")
        offered = list(apis)
        refuse_duplicates([api.offered.name for api in offered])
        self._apis = {api.offered.name: api for api in offered}
        self._validators: dict[str, Draft202012Validator] = {}  # made when needed: ToolBench has 16,000 APIs
        self._backend, self._examples = backend, Path(examples) if examples is not None else None
        self._filter, self._compat, self._finish = compression == "filter", compat, offer_finish
        self._max_chars = max_chars
        self._schemas: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.skipped: Mapping[str, str] = {}
        """File -> why it could not be read."""

    @classmethod
    def from_folder(cls, path: str | Path, backend: ApiBackend, **options: Any) -> Self:
        """Offer what is in a tool file, a category's folder, or ToolBench's `toolenv`, `tools` or data folder.

        Raises:
            ToolError: there is no tool in it.
        """
        skipped: dict[str, str] = {}
        apis = list(read_folder(path, skipped))
        if not apis:
            why = "; ".join(f"{file}: {reason}" for file, reason in list(skipped.items())[:3])
            raise ToolError(f"{path}: there are no ToolBench tools here" + (f" ({why})" if why else ""))
        above = [place / "response_examples" for place in list(tools_folder(Path(path)).absolute().parents)[:3]]
        options.setdefault("examples", next((place for place in above if place.is_dir()), None))
        made = cls(apis, backend, **options)
        made.skipped = skipped
        return made

    def choose(self, entries: Iterable[Mapping[str, Any]]) -> list[Api]:
        """The APIs that a query file's `api_list` names, in its order, to make a RapidTools of.

        Raises:
            ToolError: one of them is not here.
        """
        known = {(api.category, api.tool, api.name): api for api in reversed(self._apis.values())}
        chosen = {}
        for entry in entries:
            category, tool, name = (str(entry.get(f"{key}_name")) for key in ("category", "tool", "api"))
            api = known.get((standard_category(category), standardize(tool), standard_name(name)))
            if api is None:
                raise ToolError(f"the tool folder has no API {name!r} of tool {tool!r} in category {category!r}")
            chosen[api.offered.name] = api
        return list(chosen.values())

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered."""
        return (*(api.offered for api in self._apis.values()), *([FINISH] if self._finish else ()))

    def invoke(self, call: Call) -> Observation:
        """Carry out one call."""
        return self.result(call).observation

    def result(self, call: Call) -> ToolBenchResult:
        """Carry out one call and give its code too (`CODES`)."""
        if self._finish and call.tool == FINISH.name:
            return finish(call.arguments)
        api = self._apis.get(call.tool)
        if api is None or call.fault:
            return self._refuse(call)
        mistakes = [] if self._compat else self._mistakes(api, call.arguments)
        if mistakes:
            return ToolBenchResult(refuse_arguments(call.tool, mistakes), 2)
        try:
            return self._carry_out(api, call.arguments)
        except Exception as error:  # a backend is the user's function, and what it gives may be no JSON
            if bubbles_up(error):
                raise
            why = one_line(f"{type(error).__name__}: {error}", limit=200)
            return ToolBenchResult(Observation(text=f"{call.tool} failed: {why}", ok=False), 12)

    def _carry_out(self, api: Api, arguments: Mapping[str, Any]) -> ToolBenchResult:
        reply = self._backend(api, arguments)
        if not isinstance(reply, ToolBenchReply):
            reply = judge(reply)
        if self._compat and reply.source == "server":
            reply = reply._replace(code=code_of(reply.error, compat=True))
        elif self._compat and reply.source == "response":
            reply = judge(reply.response, compat=True)
        schema = self._schema(api) if self._filter else None
        if schema:
            response = decode(reply.response) if isinstance(reply.response, str) else reply.response
            reply = reply._replace(response=compress(response, schema))
        return observe(reply, max_chars=self._max_chars, compat=self._compat)

    def _refuse(self, call: Call) -> ToolBenchResult:
        known = call.tool in self._apis
        if self._compat:
            error = "Tool input parse error...\n" if known else f"No such function name: {call.tool}"
            return observe(ToolBenchReply(error=error, code=0 if known else 1), max_chars=0, compat=True)
        if call.fault:
            return ToolBenchResult(refuse_fault(call), 2)
        return ToolBenchResult(refuse_unknown(call.tool, [tool.name for tool in self.tools]), 1)

    def _mistakes(self, api: Api, arguments: Mapping[str, Any]) -> list[str]:
        """The offered schema is as trained on, so it does not close itself to unknown arguments; this does."""
        unknown = [name for name in arguments if name not in api.parameters]
        known = f"(known: {', '.join(closest(unknown[0], list(api.parameters))) or 'none'})" if unknown else ""
        mistakes = [f"unknown argument {one_line(repr(name), limit=80)} {known}" for name in unknown[:3]]
        name = api.offered.name
        validator = self._validators.get(name) or self._validators.setdefault(name, check_tool(api.offered))
        return [*find_mistakes(validator, arguments), *mistakes]

    def _schema(self, api: Api) -> Any:
        """The example of an API's response, or None."""
        place = (api.category, api.tool)
        if place not in self._schemas:
            assert self._examples is not None
            file = self._examples / api.category / f"{api.tool}.json"
            try:
                found = {
                    standard_name(entry["name"]): entry["schema"] for entry in reversed(read_json(file)["api_list"])
                }
            except (ValueError, KeyError, TypeError, AttributeError):  # some of the published files are empty
                found = {}
            self._schemas[place] = found
        return self._schemas[place].get(api.name)
