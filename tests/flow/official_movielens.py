"""Tiny files in the official MovieLens-100k format."""

from pathlib import Path

USERS = "1|24|M|technician|85711\n2|53|F|other|94043\n"
FLAGS = {"comedy": 5, "drama": 8, "none": 0}
RATINGS = "1\t1\t5\t881250949\n1\t2\t3\t881250950\n2\t1\t1\t881250951\n2\t3\t4\t881250952\n"


def item_line(number: int, title: str, date: str, genre: str) -> str:
    flags = ["0"] * 19
    flags[FLAGS[genre]] = "1"
    return "|".join([str(number), title, date, "", "http://example.org", *flags])


def write_official_files(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    items = [
        item_line(1, "Usual Suspects, The (1995)", "14-Aug-1995", "drama"),
        item_line(2, "Misérables, Les (1995)", "01-Jan-1995", "comedy"),
        item_line(3, "unknown", "", "none"),
    ]
    (folder / "u.item").write_text("\n".join(items) + "\n", encoding="latin-1")
    (folder / "u.user").write_text(USERS, encoding="latin-1")
    (folder / "u.data").write_text(RATINGS, encoding="latin-1")
    return folder
