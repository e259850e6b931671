"""The host project around the app: settings, migrations, pages."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.urls import reverse

from backend.marketplace.models import Startup
from recommender_app.environment import PATHS, SWITCHES, WEIGHTS
from tests.flow.official_movielens import write_official_files

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "marketplace", "movies", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_the_system_checks_find_nothing_wrong_with_the_project():
    call_command("check", fail_level="WARNING", stdout=io.StringIO())


def test_every_setting_from_the_environment_is_documented():
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "backend/settings.py").read_text()))
    documented = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read
    assert read | {*SWITCHES, *PATHS, *WEIGHTS} == documented


def test_without_debug_a_secret_key_is_asked_for():
    environment = {"PATH": os.environ["PATH"], "DEBUG": "false"}
    command = [sys.executable, "-c", "import backend.settings"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 1
    assert "SECRET_KEY" in result.stderr


@pytest.mark.django_db
def test_the_landing_page_names_every_use_case(client):
    page = client.get("/").content.decode()
    for key in ("developer_startup", "investor_startup", "startup_developer", "startup_investor", "movies"):
        assert reverse("recommender:recommendations", args=[key]) in page


@pytest.mark.django_db
@pytest.mark.parametrize("label", ["marketplace", "movies"])
def test_every_admin_page_of_the_host_opens(client, label, tmp_path):
    client.force_login(get_user_model().objects.create_superuser("root"))
    call_command("load_movielens", source=write_official_files(tmp_path), verbosity=0)
    call_command(
        "load_marketplace", "--startups=9", "--developers=9", "--investors=5", "--days=9", "--password=x", verbosity=0
    )
    models = [model for model in admin.site._registry if model._meta.app_label == label]
    assert models
    for model in models:
        name = f"admin:{label}_{model._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200
        first = model._default_manager.first()
        assert client.get(reverse(f"{name}_change", args=[first.pk])).status_code == 200


@pytest.mark.django_db
def test_a_list_in_the_admin_costs_the_same_number_of_queries_however_long_it_is(client, django_assert_max_num_queries):
    client.force_login(get_user_model().objects.create_superuser("root"))
    call_command(
        "load_marketplace", "--startups=30", "--developers=3", "--investors=0", "--days=9", "--password=x", verbosity=0
    )
    assert Startup.objects.count() == 30
    with django_assert_max_num_queries(10):
        client.get(reverse("admin:marketplace_startup_changelist"))
