"""Keeps a table."""
