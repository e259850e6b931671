"""The site's other hand: a process that fills the library and promotes versions when told to.

Commands come as lines on standard input; each is answered by one line of JSON.
"""

from __future__ import annotations

import json
import sys

import django

N_VERSIONS = 8
N_BOOKS = 12  # only one version knows them


def fill() -> dict:
    """Make the tables, a reader with a token, and versions whose books no other version knows."""
    from django.core.management import call_command
    from rest_framework.authtoken.models import Token

    from recommender_app.models import ModelVersion
    from tests.app import library

    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # the toy host has no migrations
    reader = library.add_reader()
    books = {}
    for number in range(1, N_VERSIONS + 1):
        own = library.add_books(*[f"v{number}-{place}" for place in range(N_BOOKS)])
        library.publish(f"popular_v{number}", library.popular_engine(own), own)
        ModelVersion.objects.create(use_case="books", engine="popular", number=number, status="ready")
        books[f"popular_v{number}"] = [str(book.pk) for book in own]
    return {"token": Token.objects.create(user=reader.account).key, "books": books}


def promote(number: str) -> dict:
    """Make a version live."""
    from recommender_app.models import ModelVersion
    from recommender_app.registry.releases import promote

    release = promote(ModelVersion.objects.get(use_case="books", number=int(number)), by="test")
    return {"release": release.number}


def roll_back() -> dict:
    """Restore the release before."""
    from recommender_app.registry.releases import roll_back

    return {"release": roll_back("books", by="test").number}


def readers(n: str) -> dict:
    """Add readers without any history."""
    from tests.toyhost.models import Reader

    Reader.objects.bulk_create(Reader(name=f"reader{number}") for number in range(int(n)))
    return {"n": int(n)}


def releases() -> dict:
    """Return which release every logged answer names for its version."""
    from recommender_app.models import RequestLog

    pairs = RequestLog.objects.order_by().values_list("model_version", "release").distinct()
    return {"pairs": sorted(list(pair) for pair in pairs)}


def main() -> None:
    django.setup()
    from tests.faults.releasing import experimenting

    commands = {"fill": fill, "promote": promote, "roll_back": roll_back, "readers": readers, "releases": releases}
    moves = (experimenting.begin, experimenting.begin_again, experimenting.stop, experimenting.conclude)
    commands |= {each.__name__: each for each in (*moves, experimenting.arms)}
    for line in sys.stdin:
        name, *arguments = line.split()
        print(json.dumps(commands[name](*arguments)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
