"""Titles as a person would write them."""

import re

_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_ARTICLES = "The|An|A|Le|La|Les|L'|Il|El|Los|Las|Das|Der|Die|Det|Den|O"
_TRAILING_ARTICLE = re.compile(rf"(?P<name>[^()]+), (?P<article>{_ARTICLES})(?= \(|\)|$)")


def split_year(title: str) -> tuple[str, int | None]:
    """Return "Toy Story", 1995 for "Toy Story (1995)"; None where no year stands at the end."""
    found = _YEAR.search(title)
    return (title[: found.start()], int(found.group(1))) if found else (title.strip(), None)


def readable_title(title: str) -> str:
    """Return "The Usual Suspects" for "Usual Suspects, The", in a title and in its translation."""
    return _TRAILING_ARTICLE.sub(_article_first, title.strip())


def _article_first(found: re.Match[str]) -> str:
    article, name = found["article"], found["name"]
    return f"{article}{name}" if article.endswith("'") else f"{article} {name}"
