"""Advice of ``check --deploy``."""

import pytest
from django.core.checks import run_checks
from rest_framework.settings import api_settings

from recommender_app import checks
from recommender_app.checks.deployment import deployment_advice
from tests.app.declarations import short_ids

LOCAL = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SHARED = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}}


@pytest.fixture
def production(settings, monkeypatch, tmp_path):
    """A site without anything to advise."""
    settings.CACHES = SHARED
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    settings.RECOMMENDER = {"ARTIFACT_ROOT": tmp_path}
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    yield settings
    api_settings.reload()


def found() -> list[str]:
    return short_ids(deployment_advice())


def test_a_good_site_gets_no_advice(production):
    assert found() == []


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_a_cache_of_one_process_counts_too_little(production, backend):
    production.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert found() == ["W101"]


def test_proxies_that_nobody_counted(production):
    production.REST_FRAMEWORK = {"NUM_PROXIES": None}
    assert found() == ["W102"]


def test_without_throttling_neither_matters(production):
    production.CACHES, production.REST_FRAMEWORK = LOCAL, {}
    production.RECOMMENDER |= {"THROTTLE_RATES": {"recommendations": None, "schema": None}}
    assert found() == []


def test_threads_of_the_linear_algebra(production, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert found() == ["W103"]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert found() == []


def test_a_folder_that_is_not_there(production, tmp_path):
    production.RECOMMENDER = {"ARTIFACT_ROOT": tmp_path / "none"}
    assert found() == ["W104"]
    (tmp_path / "none").touch()
    assert found() == ["W104"]
    production.RECOMMENDER = {"ARTIFACT_ROOT": 3}  # said by E003
    assert found() == []


def test_only_those_who_ask_are_advised(production):
    production.CACHES = LOCAL
    assert run_checks(tags=[checks.TAG]) == []
    assert short_ids(run_checks(tags=[checks.TAG], include_deployment_checks=True)) == ["W101"]


def test_slates_in_a_redis_that_is_unpickled_and_waited_for(production):
    production.RECOMMENDER |= {"SLATE_CACHE_SECONDS": 30}
    assert found() == ["W105"]
    serializer = "recommender_app.serving.cache_serializer.JSONSerializer"
    options = {"serializer": serializer, "socket_timeout": 0.1, "socket_connect_timeout": 0.1}
    production.CACHES = {"default": {**SHARED["default"], "OPTIONS": options}}
    assert found() == []


@pytest.mark.parametrize("wrong", [{"SLATE_CACHE_SECONDS": "x"}, {"SLATE_CACHE_SECONDS": 30, "SLATE_CACHE": "nowhere"}])
def test_a_wrong_setting_of_slates_is_an_error_elsewhere_and_no_advice_here(production, wrong):
    production.RECOMMENDER |= wrong
    assert found() == []
