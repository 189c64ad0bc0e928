"""The agent at run time: a LangGraph over the roles of a team, its budgets and its events."""
