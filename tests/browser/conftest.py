"""The fixtures of the browser tests."""

from people import chromium, person

__all__ = ["chromium", "person"]
