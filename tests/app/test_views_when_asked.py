"""Views that are imported when somebody asks for them: not before, and then they are what they always were."""

import copy

import pytest
from django.urls import resolve, reverse

from recommender_app.api.health import HealthView
from recommender_app.api.when_asked import ViewWhenAsked
from tests.app.processes import NO_DATABASE, run_python

SELDOM = (
    "django.test",
    "drf_spectacular.generators",
    "recommender_app.api.documentation",
    "recommender_app.api.experiments",
    "recommender_app.api.health",
    "recommender_app.api.metrics",
    "recommender_app.engines.content",
    "recommender_app.engines.text",
)
FOUND = f"print([name for name in {SELDOM!r} if name in sys.modules])"


def test_a_process_that_knows_every_address_has_imported_nothing_that_is_seldom_asked_for(tmp_path):
    program = (
        "import sys\n"
        "from django.urls import resolve, reverse\n"
        "addresses = [reverse(f'recommender:{name}') for name in ('health', 'metrics', 'schema', 'docs')]\n"
        f"resolve(reverse('recommender:recommendations', args=['books']))\n{FOUND}\n"
        f"resolve(addresses[0])\n{FOUND}"
    )
    printed = run_python(tmp_path, program, NO_DATABASE, tmp_path)
    assert printed == "[]\n[]\n"


def test_what_django_asks_of_a_view_the_view_itself_answers():
    view, ours = HealthView.as_view(), resolve(reverse("recommender:health")).func
    assert isinstance(ours, ViewWhenAsked)
    assert ours.cls is HealthView
    for name in ("csrf_exempt", "login_required", "initkwargs", "_non_atomic_requests"):
        assert getattr(ours, name) == getattr(view, name), name
    assert ours.csrf_exempt
    assert "default" in ours._non_atomic_requests


def test_a_view_that_does_not_exist_is_an_error_that_names_it():
    with pytest.raises(ImportError, match="NoSuchView"):
        ViewWhenAsked("recommender_app.api.health.NoSuchView").cls  # noqa: B018


def test_a_class_that_is_no_view_is_an_error_that_says_so():
    with pytest.raises(AttributeError, match="as_view"):
        ViewWhenAsked("tests.toyhost.models.Book").cls  # noqa: B018


def test_a_copy_is_the_same_view():
    ours = resolve(reverse("recommender:health")).func
    assert copy.copy(ours).cls is ours.cls


@pytest.mark.django_db
def test_whoever_is_not_logged_in_is_told_so_by_the_view_that_was_imported_for_it(client):
    assert client.get("/api/health/").status_code == 401


def test_a_command_that_knows_every_address_does_not_know_how_to_answer_and_a_server_does(tmp_path):
    heavy = ("recommender_app.api.views", "recommender_app.api.events")  # the site's admin may know the services
    found = f"import sys; print([name for name in {heavy!r} if name in sys.modules])"
    for preload, expected in (("auto", []), (True, list(heavy))):
        (tmp_path / "other_settings.py").write_text(
            f"from site_settings import *\nRECOMMENDER = {{**RECOMMENDER, 'PRELOAD': {preload!r}}}\n"
        )
        program = f"import recommender_app.urls\n{found}"
        assert run_python(tmp_path, program, NO_DATABASE, tmp_path, "other_settings") == f"{expected}\n"
