"""The simulated world in the tables: once, replaceable, beside real rows."""

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command
from rest_framework.authtoken.models import Token

from backend.marketplace.models import (
    Application,
    Developer,
    Industry,
    Investor,
    PersonInteraction,
    Simulation,
    Startup,
    StartupInteraction,
)
from recommender_app.usecases.eligibility import newest_eligible
from recommender_app.usecases.history import load_history
from recommender_app.usecases.site import get_use_case

pytestmark = pytest.mark.django_db
SMALL = {"n_startups": 20, "n_developers": 15, "n_investors": 5, "n_days": 20, "end": "2026-01-31", "verbosity": 0}
TABLES = (Startup, Developer, Investor, StartupInteraction, Application, PersonInteraction, get_user_model())


def load(**options):
    options = SMALL | {"password": "a long secret"} | options
    flags = {name: options.pop(name) for name in ("replace",) if name in options}
    arguments = [f"--{name.removeprefix('n_')}={value}" for name, value in options.items()]
    call_command("load_marketplace", *arguments, **flags)


def counts():
    return [model._default_manager.count() for model in TABLES]


def test_everything_is_loaded_and_the_demo_can_log_in():
    load()
    assert counts()[:3] == [20, 15, 5]
    assert all(counts())
    names = ["demo-developer", "demo-founder", "demo-investor"]
    assert sorted(Token.objects.values_list("user__username", flat=True)) == names
    assert all(authenticate(username=name, password="a long secret") for name in names)
    others = get_user_model().objects.exclude(username__in=names)
    assert not any(account.has_usable_password() for account in others)
    assert get_user_model().objects.get(username="demo-founder").startups.count() >= 3


def test_a_second_load_of_the_same_seed_changes_nothing(capsys):
    load()
    before, newest = counts(), list(Startup.objects.values_list("pk", "updated_at"))
    load()
    assert counts() == before
    assert list(Startup.objects.values_list("pk", "updated_at")) == newest
    assert "Already loaded" in capsys.readouterr().out


def test_another_seed_is_refused_until_the_first_is_replaced():
    load()
    before = set(Startup.objects.values_list("pk", flat=True))
    with pytest.raises(CommandError, match="--replace"):
        load(seed=8)
    load(seed=8, replace=True)
    assert Simulation.objects.get().seed == 8
    assert not before & set(Startup.objects.values_list("pk", flat=True))


def test_replacing_leaves_real_rows_alone():
    real = get_user_model().objects.create(username="real")
    company = Startup.objects.create(owner=real, name="Real", industry=Industry.objects.create(name="Health"))
    load()
    StartupInteraction.objects.create(developer=Developer.objects.first(), startup=company, kind="view")
    load(seed=8, replace=True)
    assert Startup.objects.filter(pk=company.pk).exists()
    assert not StartupInteraction.objects.filter(startup=company).exists()  # its developer was simulated


def test_a_login_that_somebody_else_has_stops_the_load_before_anything_is_written():
    get_user_model().objects.create(username="sim-developer-3")
    with pytest.raises(CommandError, match="sim-developer-3"):
        load()
    assert not Startup.objects.exists()
    assert not Simulation.objects.exists()


@pytest.mark.parametrize("wrong", [{"n_days": 0}, {"n_startups": -1}, {"seed": -1}])
def test_a_number_without_sense_is_refused(wrong):
    with pytest.raises(CommandError, match="must"):
        load(**wrong)


@pytest.mark.parametrize("key", ["developer_startup", "investor_startup", "startup_developer", "startup_investor"])
def test_every_use_case_has_users_with_a_history_and_something_to_show(key):
    load()
    use_case = get_use_case(key)
    users = list(use_case.users.objects.all())
    assert sum(load_history(use_case, user, 100).interaction_count > 3 for user in users) > len(users) / 3
    assert newest_eligible(use_case, users[0], 5)
