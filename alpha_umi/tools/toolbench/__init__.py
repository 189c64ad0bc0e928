"""Tools of RapidAPI as ToolBench describes them."""
