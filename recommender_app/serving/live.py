"""Loaded releases."""


def preload() -> None:
    """Load."""
