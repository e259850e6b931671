"""``python -m tests.faults.site.fill [all]``: books, a reader, a live release; prints how to log in as JSON.

The release has ALS and popularity; with ``all`` every engine there is, trained on a toy.
"""

# ruff: noqa: E402  models can be imported once the apps are ready
from __future__ import annotations

import json
import sys

import django

django.setup()

from django.core.management import call_command
from django.core.signing import Signer
from django.test import Client
from rest_framework.authtoken.models import Token

from recommender_app.artifacts.live_hint import LiveHint, write_live_hint
from recommender_app.conf import settings
from recommender_app.models import ReleaseMember
from tests.app import every_engine, library
from tests.toyhost.models import Reader


def main() -> None:
    call_command("migrate", verbosity=0)
    if sys.argv[1:] == ["all"]:
        every_engine.train_and_promote()
    else:
        call_command("migrate", run_syncdb=True, verbosity=0)
        books = library.add_shelves()
        library.publish("als_v1", library.als_engine(books), books)
        library.publish("popular_v1", library.popular_engine(books), books)
        library.put_live(1, "als_v1", "popular_v1")
        library.add_reader(likes=(books[8],))
    versions = {member.engine: member.version.name for member in ReleaseMember.objects.select_related("version")}
    write_live_hint(settings.artifact_root, LiveHint("books", 1, versions))
    print(json.dumps({"engines": sorted(versions), "logins": logins()}))  # noqa: T201


def logins() -> dict[str, dict[str, str]]:
    """Return {how to log in: HTTP headers} of the one reader."""
    account = Reader.objects.get().account
    client = Client()
    client.force_login(account)
    return {
        "signed": {"Authorization": f"Signed {Signer().sign(account.pk)}"},
        "token": {"Authorization": f"Token {Token.objects.create(user=account).key}"},
        "session": {"Cookie": f"sessionid={client.cookies['sessionid'].value}"},
    }


if __name__ == "__main__":
    main()
