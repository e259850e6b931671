"""Logins of simulated people."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from rest_framework.authtoken.models import Token

from backend.marketplace.loading.clock import BATCH
from backend.marketplace.simulation.world import SimulatedAccount

DEMO_PREFIX = "demo-"  # the few who can log in


class LoadingError(Exception):
    """The simulation cannot be loaded; the message is one line that says what to do."""


def write_accounts(accounts: Sequence[SimulatedAccount], password: str) -> list[Any]:
    """Create the logins and return them in order; only those of the demo get the password, and a token.

    Raises:
        LoadingError: somebody else already has one of the names.
    """
    users = get_user_model()._default_manager
    _require_free([account.username for account in accounts])
    demo_password = make_password(password)  # one hash for all: it is slow on purpose
    made = users.bulk_create(
        [
            users.model(
                username=account.username,
                first_name=account.first_name,
                last_name=account.last_name,
                password=demo_password if account.username.startswith(DEMO_PREFIX) else make_password(None),
            )
            for account in accounts
        ],
        batch_size=BATCH,
    )
    for user in made:
        if user.username.startswith(DEMO_PREFIX):
            Token.objects.create(user=user)
    return made


def _require_free(names: list[str]) -> None:
    users = get_user_model()._default_manager
    for start in range(0, len(names), 500):
        taken = users.filter(username__in=names[start : start + 500]).order_by("username").first()
        if taken is not None:
            raise LoadingError(f"The login {taken} exists and was not simulated: rename it, then load again.")
