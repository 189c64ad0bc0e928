"""Readers of trajectory files, one format each."""
