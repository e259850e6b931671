"""Who asks: a reader who has logged in as people do, or somebody of the staff who may do one thing."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from tests.app import library
from tests.toyhost.models import Reader


def log_in(client: Client, name: str = "ann") -> Reader:
    """Log a new reader in by the form: what the test client calls a login sends no cookies."""
    reader = library.add_reader(name)
    reader.account.set_password("secret")
    reader.account.save()
    by_form(client, name)
    return reader


def by_form(client: Client, name: str) -> None:
    """Log a reader in whom ``log_in`` has made."""
    assert client.post(reverse("rest_framework:login"), {"username": name, "password": "secret"}).status_code == 302


def as_staff(client: Client, permission: str) -> Client:
    """Return the client, logged in as somebody of the staff who has one permission."""
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(user)
    return client
