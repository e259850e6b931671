"""Which errors end one engine and leave the others alone."""

from __future__ import annotations

from recommender_app.exceptions import RecommenderError

# What numpy, scipy, implicit and torch raise when they cannot go on; other exceptions are mistakes of ours.
GAVE_UP = (RecommenderError, ArithmeticError, MemoryError, OSError, RuntimeError, ValueError)


def one_line(error: BaseException) -> str:
    """Return what an error says, with its kind where it is none of the app's."""
    text = " ".join(str(error).split())
    return text if isinstance(error, RecommenderError) else f"{type(error).__name__}: {text}".removesuffix(": ")
