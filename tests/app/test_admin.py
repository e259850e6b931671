"""Admin pages: readable, read-only, few queries, and promotion only for those who may."""

import uuid

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from recommender_app.models import ModelVersion, Release, ReleaseChange, RequestLog, TrainingRun
from recommender_app.registry.releases import promote
from tests.app.registered import candidate, live_names

pytestmark = pytest.mark.django_db
MODELS = ("trainingrun", "modelversion", "release", "releasechange", "requestlog")
METRICS = {
    "protocol": "newest 20% held out",
    "n_users": 3,
    "engines": {"popular": {"precision@10": 0.25, "ndcg@10": 0.5}, "<b>bold</b>": {"precision@10": 0.125}},
}


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}


def login(client, *codenames, superuser=False) -> User:
    user = User.objects.create_user("staff", is_staff=True, is_superuser=superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def url(model, page="changelist", *args):
    return reverse(f"admin:recommender_app_{model}_{page}", args=args)


def act(client, model, action, *rows, **fields):
    data = {"action": action, "_selected_action": [row.pk for row in rows], **fields}
    return client.post(url(model), data, follow=True)


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def add_log(n=1):
    for _ in range(n):
        RequestLog.objects.create(
            request_id=uuid.uuid4(),
            use_case="books",
            user_id="7",
            requested_limit=10,
            n_results=1,
            engine="popular",
            results=[{"item": "<i>odd</i>", "rank": 1, "score": 0.5, "source": "popular"}],
            engine_ms={"popular": 1.25},
        )


def fill(n):
    for _ in range(n):
        promote(candidate(metrics=METRICS, config={"factors": 8}), by="ann")
    add_log(n)


@pytest.mark.parametrize("model", MODELS)
def test_lists_take_as_many_queries_for_many_rows_as_for_few(client, model, django_assert_max_num_queries):
    login(client, superuser=True)
    fill(1)
    with django_assert_max_num_queries(14) as few:
        assert client.get(url(model)).status_code == 200
    fill(5)
    with django_assert_max_num_queries(len(few)) as many:
        assert client.get(url(model)).status_code == 200
    assert len(many) == len(few)


@pytest.mark.parametrize("model", MODELS)
def test_each_row_has_a_page_of_few_queries(client, model, django_assert_max_num_queries):
    login(client, superuser=True)
    fill(2)
    promote(candidate("trending"), by="ann")
    row = apps.get_model("recommender_app", model)
    pk = row.objects.first().pk
    with django_assert_max_num_queries(9):
        response = client.get(url(model, "change", pk))
    assert response.status_code == 200
    assert b'name="_save"' not in response.content


@pytest.mark.parametrize("model", MODELS)
def test_not_even_a_superuser_adds_changes_or_deletes(client, model):
    login(client, superuser=True)
    fill(1)
    row = apps.get_model("recommender_app", model)
    pk = row.objects.first().pk
    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "change", pk), {}).status_code == 403
    assert client.post(url(model, "delete", pk), {"post": "yes"}).status_code == 403
    act(client, model, "delete_selected", row.objects.first())
    assert row.objects.filter(pk=pk).exists()


def test_metrics_are_a_table_beside_the_baselines_and_escaped(client):
    login(client, superuser=True)
    version = candidate(metrics=METRICS, config={"factors": 8, "alpha": None})
    page = client.get(url("modelversion", "change", version.pk)).content.decode()
    assert "<tr><td>precision@10</td><td>0.2500</td><td>0.1250</td></tr>" in page
    assert "<tr><td>ndcg@10</td><td>0.5000</td><td>-</td></tr>" in page
    assert "newest 20% held out" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>bold</b>" not in page
    assert "<tr><td>factors</td><td>8</td></tr>" in page


def test_a_version_that_was_not_measured_says_why(client):
    login(client, superuser=True)
    version = candidate(metrics={"protocol": "", "engines": {}, "note": "Not measured: too few."})
    assert "Not measured: too few." in client.get(url("modelversion", "change", version.pk)).content.decode()


def test_an_answer_is_shown_as_a_table_and_escaped(client):
    login(client, superuser=True)
    add_log()
    page = client.get(url("requestlog", "change", RequestLog.objects.get().pk)).content.decode()
    assert "<tr><td>1</td><td>&lt;i&gt;odd&lt;/i&gt;</td><td>0.5000</td><td>popular</td><td>-</td></tr>" in page
    assert "<tr><td>popular</td><td>1.2500</td></tr>" in page


@pytest.mark.parametrize(
    "query",
    [
        "use_case=books",
        "engine=popular",
        "fallback_reason__isempty=1",
        "q=7",
        "q=it%27s",
        "q=nonsense",
        "use_case=gone",
    ],
)
def test_the_log_is_filtered_and_searched(client, query):
    login(client, superuser=True)
    add_log(2)
    response = client.get(f"{url('requestlog')}?{query}")
    assert response.status_code == 200
    n_expected = 0 if query in ("q=it%27s", "q=nonsense", "use_case=gone") else 2
    assert len(response.context["cl"].result_list) == n_expected


def test_answers_that_rules_alone_filled_are_found(client):
    login(client, superuser=True)
    add_log(2)
    RequestLog.objects.update(engine="rule", model_version="")
    for engine, n_expected in (("rule", 2), ("exploration", 0), ("popular", 0)):
        response = client.get(f"{url('requestlog')}?engine={engine}")
        assert len(response.context["cl"].result_list) == n_expected
        assert f"?engine={engine}" in response.content.decode()


def test_a_failed_run_shows_its_reason(client):
    login(client, superuser=True)
    now = timezone.now()
    TrainingRun.objects.create(
        use_case="books", engine="als", status="failed", reason="It broke.", started_at=now, finished_at=now
    )
    page = client.get(f"{url('trainingrun')}?status__exact=failed").content.decode()
    assert "It broke." in page
    assert "0:00:00" in page


def test_who_may_promotes_and_leaves_a_trace(client):
    user = login(client, "view_modelversion", "promote_version")
    version = candidate()
    response = act(client, "modelversion", "promote_selected", version)
    assert messages_of(response) == ["books popular_v1 is live in release 1."]
    assert ReleaseChange.objects.get().by == "staff"
    assert live_names() == ["popular_v1"]
    assert Release.objects.get().promoted_by == "staff"
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (user, str(version.pk), "Promoted in release 1.")


def test_who_may_rolls_back_and_leaves_a_trace(client):
    user = login(client, "view_release", "promote_version")
    first, _ = promote(candidate(), by="ann"), promote(candidate(), by="ann")
    response = act(client, "release", "roll_back_to_selected", first)
    assert "books release 1: popular_v1" in response.content.decode()
    assert live_names() == ["popular_v2"]  # nothing happens before it is confirmed
    response = act(client, "release", "roll_back_to_selected", first, confirmed="yes", reason="worse")
    assert messages_of(response) == ["books release 1 is live again."]
    assert live_names() == ["popular_v1"]
    change = ReleaseChange.objects.first()
    assert (change.action, change.by, change.reason) == ("roll_back", "staff", "worse")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (user, str(first.pk))


def test_staff_without_the_permission_looks_but_does_not_promote(client):
    login(client, "view_modelversion", "view_release")
    version = candidate()
    assert b"promote_selected" not in client.get(url("modelversion")).content
    act(client, "modelversion", "promote_selected", version)
    assert not Release.objects.exists()
    first, second = promote(version, by="ann"), promote(candidate(), by="ann")
    act(client, "release", "roll_back_to_selected", first, confirmed="yes")
    assert Release.objects.get(status="live") == second
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("model", MODELS)
def test_staff_without_any_permission_sees_nothing(client, model):
    login(client)
    assert client.get(url(model)).status_code == 403


def test_what_cannot_be_promoted_is_said_in_a_message(client):
    login(client, "view_modelversion", "promote_version")
    version, other = candidate(), candidate()
    response = act(client, "modelversion", "promote_selected", version, other)
    assert messages_of(response) == ["Choose one version per engine: only one can be live."]
    ModelVersion.objects.filter(pk=version.pk).update(status="rejected", reason="Worse than popular.")
    (message,) = messages_of(act(client, "modelversion", "promote_selected", version))
    assert message.startswith("books popular_v1 is rejected (Worse than popular)")
    assert not Release.objects.exists()
    assert not LogEntry.objects.exists()


def test_what_cannot_be_rolled_back_to_is_said_in_a_message(client):
    login(client, "view_release", "promote_version")
    first, second = promote(candidate(), by="ann"), promote(candidate(), by="ann")
    response = act(client, "release", "roll_back_to_selected", first, second)
    assert messages_of(response) == ["Choose one release per use case: only one can be live."]
    response = act(client, "release", "roll_back_to_selected", second, confirmed="yes")
    assert messages_of(response) == ["books release 2 is live already."]


def test_engines_of_one_use_case_are_promoted_together(client):
    login(client, "view_modelversion", "promote_version")
    act(client, "modelversion", "promote_selected", candidate(), candidate("trending"))
    assert live_names() == ["popular_v1", "trending_v1"]
    page = client.get(url("modelversion")).content.decode()
    assert page.count('alt="True"') == 2
