"""Evaluation in live episodes, judged by a task set."""
