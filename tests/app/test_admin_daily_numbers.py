"""The page of daily numbers: what the metrics API says, for those who may ask it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from recommender_app.admin import daily_numbers
from recommender_app.measurement.days import ONE_DAY
from tests.app.logins import as_staff
from tests.app.measured import DAY, answer, event, roll_up

pytestmark = pytest.mark.django_db
URL = reverse("admin:recommender_app_rolledupday_changelist")
DAYS = {"use_case": "books", "from": str(DAY), "to": str(DAY + ONE_DAY)}


@pytest.fixture
def staff(client):
    return as_staff(client, "view_metrics")


@pytest.fixture
def two_days():
    """Ann clicks on two of her four items, Bob, in an experiment, on one of his two; the next day Cid on none."""
    first = answer("ann", "tea", "sea", "ink", "rye")
    second = answer("bob", "tea", "elm", experiment="e", phase=1, arm="b")
    answer("cid", "tea", engine="popular", hours=24, fallback_reason="deadline")
    for user, item, request_id in (("ann", "tea", first), ("ann", "sea", first), ("bob", "tea", second)):
        event(user, item, "click", hours=1, request_id=request_id)
    roll_up()
    roll_up(DAY + ONE_DAY)


def cells(response) -> list[list[str]]:
    table = response.content.decode().split("<tbody>")[1].split("</tbody>")[0]
    return [row.removesuffix("</td></tr>").split("</td><td>") for row in table.split("<tr><td>")[1:]]


def test_it_shows_each_engine_and_all_of_them(staff, two_days):
    als, popular, total = cells(staff.get(URL, DAYS))
    assert als[:6] == ["als", "2", "2", "0", "3", "50.00%"]
    assert popular[:6] == ["popular", "1", "1", "1", "0", "0.00%"]
    assert total[:5] == ["all", "3", "3", "1", "3"]
    assert total[5].startswith("42.86% [")
    assert total[10].startswith("33.33% [")


def test_it_is_asked_by_day_engine_and_arm(staff, two_days):
    rows = cells(staff.get(URL, {**DAYS, "by": "day_engine_arm"}))
    assert [row[0] for row in rows] == [
        "2026-03-10, als, e/1/b",
        "2026-03-10, als, in no experiment",
        "2026-03-11, popular, in no experiment",
        "all",
    ]
    told = staff.get("/api/recommender/metrics/", {**DAYS, "by": "day_engine_arm"}).json()
    assert [group["group"] for group in told["groups"]] == [row[0] for row in rows[:-1]]


def test_without_a_question_it_shows_the_newest_days_of_the_first_use_case(staff):
    page = staff.get(URL)
    assert page.status_code == 200
    assert "Nothing is rolled up for these days." in page.content.decode()


@pytest.mark.parametrize("wrong", [{"by": "weather"}, {"use_case": "<b>"}, {"from": "soon"}, {"from": "2026-03-20"}])
def test_what_is_wrong_is_said_and_escaped(staff, two_days, wrong):
    page = staff.get(URL, {**DAYS, **wrong})
    text = page.content.decode()
    assert page.status_code == 200
    assert f"<li>{next(iter(wrong))}: " in text
    assert "<tbody>" not in text
    assert "<b>" not in text


def test_only_staff_with_the_permission_see_it(client, two_days):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_requestlog"))
    client.force_login(user)
    assert client.get(URL).status_code == 403
    assert URL not in client.get(reverse("admin:index")).content.decode()
    user.user_permissions.add(Permission.objects.get(codename="view_metrics"))
    assert URL in client.get(reverse("admin:index")).content.decode()
    user.is_staff = False
    user.save()
    assert client.get(URL).status_code == 302


def test_nothing_is_added_changed_or_deleted_there(client, two_days):
    client.force_login(User.objects.create_superuser("root"))
    assert client.get(f"{URL}add/").status_code == 403
    day = daily_numbers.RolledUpDay.objects.first()
    assert client.post(f"{URL}{day.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(URL, {"action": "delete_selected", "_selected_action": [day.pk]}).status_code == 200
    assert daily_numbers.RolledUpDay.objects.count() == 2


def test_the_page_takes_ten_queries_at_most(staff, two_days, django_assert_max_num_queries):
    for by in daily_numbers.BY:
        with django_assert_max_num_queries(10):
            assert len(cells(staff.get(URL, {**DAYS, "by": by}))) >= 2


def test_a_table_that_grows_too_long_says_what_it_leaves_out(staff, two_days, monkeypatch):
    monkeypatch.setattr(daily_numbers, "MOST_ROWS", 1)
    page = staff.get(URL, DAYS)
    assert [row[0] for row in cells(page)] == ["als", "all"]
    assert "1 groups are not shown" in page.content.decode()
