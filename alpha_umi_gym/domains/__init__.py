"""The categories of the gym, one module each with its helpers beside it.

Their facts come from libraries of the `gym` extra, which most modules load only when a tool is called.
"""

from __future__ import annotations

from importlib.util import find_spec

from alpha_umi.errors import MissingExtra

for _library in ("astral", "dateutil", "geographiclib", "holidays", "phonenumbers", "pint", "pycountry", "sympy"):
    if find_spec(_library) is None:
        raise MissingExtra(f"the gym (which uses {_library})", "gym")
