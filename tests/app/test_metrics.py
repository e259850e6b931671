"""Metrics: the roll-ups of some days, with intervals, as JSON, CSV and a table."""

import csv
import io
import re
from datetime import date

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from recommender_app.api.metrics import MetricsSerializer
from recommender_app.management.commands.recommender_report import Command as ReportCommand
from recommender_app.measurement.days import ONE_DAY, day_of
from recommender_app.measurement.intervals import rate_of, totals_of
from recommender_app.measurement.metrics import metrics_of
from recommender_app.models import ModelVersion, RequestLog, RolledUpDay
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.logins import as_staff
from tests.app.measured import DAY, answer, event, roll_up

pytestmark = pytest.mark.django_db
URL = "/api/recommender/metrics/"
DAYS = {"from": str(DAY), "to": str(DAY + ONE_DAY)}


@pytest.fixture
def two_days():
    """Ann is shown 4 + 2 items by ALS and clicks on 2 + 0, Bob 2 items and clicks on 1; Cid 3 by another, on none."""
    first = answer("ann", "tea", "sea", "ink", "rye", diversity=0.5)
    answer("ann", "ash", "oak", hours=24, fallback_reason="deadline", latency_ms=200.0)
    second = answer("bob", "tea", "elm", experiment="e", phase=1, arm="b", model_version="als_v2", diversity=0.7)
    answer("cid", "tea", "sea", "ink", engine="popular", model_version="popular_v1")
    for item, name in (("tea", "click"), ("sea", "click"), ("sea", "like"), ("ink", "dislike"), ("tea", "finish")):
        event("ann", item, name, hours=1, request_id=first)
    event("bob", "elm", "click", hours=1, request_id=second)
    event("bob", "elm", "rating", hours=1, request_id=second, rating=4)
    roll_up()
    roll_up(DAY + ONE_DAY)


@pytest.fixture
def staff(client):
    return as_staff(client, "view_metrics")


def ask(client, **parameters):
    return client.get(URL, {"use_case": "books", **DAYS, **parameters})


def test_rates_are_of_user_totals_over_the_whole_time(two_days):
    found = metrics_of("books", DAY, DAY + ONE_DAY, "engine")
    als, popular = found.groups
    assert (als.group, popular.group, found.total.group) == ("als", "popular", "all")
    assert als.sums == {
        "users": 2, "requests": 3, "fallbacks": 1, "impressions": 8, "seen": 0, "clicks": 3, "conversions": 1,
        "likes": 1, "dislikes": 1, "ratings": 1, "sessions": 3,
    }  # fmt: skip
    assert als.rates["ctr"] == rate_of(totals_of([(2, 6), (1, 2)]))
    assert als.rates["ctr"].value == 3 / 8
    assert als.rates["satisfaction"].value == 0.5
    assert als.rates["mean_rating"].value == 4
    assert als.rates["fallback_rate"].value == pytest.approx(1 / 3)
    assert als.rates["mean_diversity"].value == pytest.approx(0.6)
    assert als.distinct_items == 7
    assert als.latencies["latency_ms_p50"] == pytest.approx(20, rel=0.13)
    assert als.latencies["latency_ms_p99"] == pytest.approx(200, rel=0.13)
    assert popular.rates["ctr"].value == 0
    assert popular.rates["satisfaction"].value is None
    assert found.total.sums["users"] == 3
    assert found.total.rates["ctr"].value == 3 / 11
    assert found.days_missing == 0


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("engine", ["als", "popular"]),
        ("version", ["als_v1", "als_v2", "popular_v1"]),
        ("arm", ["e/1/b", "in no experiment"]),
        ("day", [str(DAY), str(DAY + ONE_DAY)]),
    ],
)
def test_groups_are_what_was_asked_for(two_days, staff, by, names):
    told = ask(staff, by=by).json()
    assert [group["group"] for group in told["groups"]] == names
    assert sum(group["clicks"] for group in told["groups"]) == told["total"]["clicks"] == 3


def test_the_answer_is_as_described(two_days, staff):
    told = ask(staff).json()
    assert MetricsSerializer(data=told).is_valid()
    assert told.keys() == MetricsSerializer().fields.keys()
    assert told["groups"][0].keys() == MetricsSerializer().fields["total"].fields.keys()


def test_csv_says_the_same(two_days, staff):
    response = ask(staff, format="csv", by="version")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [row["group"] for row in rows] == ["als_v1", "als_v2", "popular_v1", "all"]
    assert (rows[1]["ctr"], rows[1]["ctr_low"], rows[1]["clicks"]) == ("0.5", "", "1")


def test_offline_metrics_stand_beside_those_of_a_version(two_days, staff):
    measured = {"protocol": "p", "engines": {"als": {"ndcg@10": 0.25, "recall@10": 0.5}}}
    library.put_live(1, "als_v1")
    ModelVersion.objects.filter(engine="als").update(metrics=measured)
    by_version = {group["group"]: group["offline"] for group in ask(staff, by="version").json()["groups"]}
    assert by_version == {"als_v1": {"ndcg@10": 0.25}, "als_v2": {}, "popular_v1": {}}
    assert ask(staff).json()["groups"][0]["offline"] == {"ndcg@10": 0.25}


def test_numbers_by_engine_are_called_as_served(client):
    client.force_login(User.objects.create_superuser("root"))
    pages = [client.get("/admin/recommender_app/rolledupday/"), client.get("/api/schema/")]
    told = [page.content.decode() for page in pages] + [ReportCommand().help]
    assert ["not causal" in text for text in told] == [True, True, True]


def test_days_that_are_not_rolled_up_are_counted(two_days, staff):
    told = ask(staff, to="2026-03-20").json()
    assert told["days_missing"] == 9
    assert ask(staff, **{"from": "2025-01-01", "to": "2025-01-02"}).json()["groups"] == []


def test_only_staff_with_the_permission_may_ask(client, two_days):
    assert ask(client).status_code == 401
    permission = Permission.objects.get(codename="view_metrics")
    customer, staff = User.objects.create_user("customer"), User.objects.create_user("staff", is_staff=True)
    customer.user_permissions.add(permission)
    for user in (customer, staff):
        client.force_login(user)
        assert ask(client).status_code == 403
    staff.user_permissions.add(permission)
    assert ask(client).status_code == 200


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"use_case": "nobody"}, "use_case"),
        ({"by": "weather"}, "by"),
        ({"format": "xml"}, "format"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-3-1"}, "from"),
        ({"from": "1999-12-31"}, "from"),
        ({"to": "9999-12-31"}, "from"),
        ({"from": "2026-03-12"}, "from"),
        ({"colour": "red"}, "colour"),
        ({"to": ["2026-03-10", "2026-03-11"]}, "to"),
        ({"to": "2026-03-1\0"}, "to"),
    ],
)
def test_wrong_parameters_are_refused_by_name(staff, parameters, name):
    response = ask(staff, **parameters)
    assert response.status_code == 400, response.content
    assert name in response.json()["errors"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"by": "foo"}, "by: foo is none of them: choose from engine, version, arm, day, day_engine_arm."),
        ({"format": "xml"}, "format: xml is none of them: choose from json, csv."),
    ],
)
def test_who_names_no_choice_hears_which_there_are(staff, parameters, told):
    assert ask(staff, **parameters).json()["detail"] == told


def test_the_page_takes_ten_queries_at_most(two_days, staff, django_assert_max_num_queries):
    for by in ("engine", "version", "arm", "day"):
        with django_assert_max_num_queries(10):
            assert ask(staff, by=by).status_code == 200
    tables = []

    def note(execute, sql, params, many, context):
        tables.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        ask(staff)
    assert not any("requestlog" in sql for sql in tables)


def test_it_is_throttled(staff, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"metrics": "1/min"}}
    assert [ask(staff).status_code for _ in range(2)] == [200, 429]


def report(*arguments: str) -> str:
    out = io.StringIO()
    call_command("recommender_report", "books", *arguments, stdout=out)
    return out.getvalue()


def test_the_report_prints_the_same(two_days):
    printed = report("--from", str(DAY), "--to", str(DAY + ONE_DAY))
    assert "books: 2026-03-10 to 2026-03-11" in printed
    assert "0.3750 [0.2525, 0.4975]" in printed
    assert "diversity" in printed.splitlines()[1].split()
    assert [line.split()[0] for line in printed.splitlines()[3:6]] == ["als", "popular", "all"]
    rows = list(csv.DictReader(io.StringIO(report("--from", str(DAY), "--to", str(DAY), "--csv"))))
    assert rows[-1]["clicks"] == "3"


def test_the_report_says_what_is_missing(two_days):
    assert "recommender_roll_up" in report("--to", "2025-01-01")
    assert "9 of the days are not rolled up." in report("--from", str(DAY), "--to", "2026-03-20")
    with pytest.raises(CommandError, match="after the last day"):
        report("--from", "2026-03-02", "--to", "2026-03-01")


def test_the_command_rolls_up_the_days_it_is_told():
    answer("ann", "tea")
    out = io.StringIO()
    call_command("recommender_roll_up", "books", "--day", "2026-03-10", stdout=out)
    assert out.getvalue() == "books 2026-03-10: 1 answers\n"
    with pytest.raises(CommandError, match="write it like"):
        call_command("recommender_roll_up", "books", "--day", "soon")
    assert metrics_of("books", date(2026, 3, 10), date(2026, 3, 10), "engine").total.sums["requests"] == 1


def test_days_before_the_first_and_after_today_are_not_missed(two_days):
    assert metrics_of("books", DAY - 20 * ONE_DAY, DAY + ONE_DAY, "engine").days_missing == 0
    today = day_of(timezone.now())
    expected = (today - DAY).days - 1
    assert metrics_of("books", DAY, today + 5 * ONE_DAY, "engine").days_missing == expected


def test_without_declared_conversions_there_is_no_conversion_rate(two_days, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "conversions", ())
    found = metrics_of("books", DAY, DAY + ONE_DAY, "engine")
    assert {group.rates["conversion_rate"].value for group in (*found.groups, found.total)} == {None}
    assert found.total.rates["ctr"].value == 3 / 11


def test_a_day_that_is_still_to_come_is_not_rolled_up():
    with pytest.raises(CommandError, match="is still to come: in UTC it is"):
        call_command("recommender_roll_up", "books", "--day", str(day_of(timezone.now()) + ONE_DAY))
    assert not RolledUpDay.objects.exists()


def test_where_no_day_is_due_it_is_said_when_today_was_summed_up():
    def printed() -> str:
        out = io.StringIO()
        call_command("recommender_roll_up", "books", stdout=out)
        return out.getvalue()

    assert printed() == "No day is due: the request log is empty.\n"
    now = timezone.now()
    row = answer("ann", "tea")
    RequestLog.objects.filter(request_id=row).update(created_at=now)
    assert f"books {day_of(now)}: 1 answers" in printed()
    assert re.fullmatch(r"No day is due: today was last summed up at \d\d:\d\d UTC\.\n", printed())
