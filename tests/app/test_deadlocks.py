"""Which errors are worth a second try; real deadlocks are in test_events_concurrency."""

import pytest
from django.db import OperationalError, transaction

from recommender_app.measurement.deadlocks import ATTEMPTS, past_deadlocks


def failing(error, n_times):
    """Return a function that fails so often, and the list of its calls."""
    calls = []

    def compute():
        calls.append(1)
        if len(calls) <= n_times:
            raise error
        return "done"

    return compute, calls


def of_postgresql(sqlstate):
    error = OperationalError("refused")
    error.__cause__ = type("Cause", (Exception,), {"sqlstate": sqlstate})()
    return error


DEADLOCKS = [of_postgresql("40P01"), of_postgresql("40001"), OperationalError(1213, "Deadlock found")]


@pytest.mark.parametrize("error", DEADLOCKS, ids=repr)
def test_a_victim_is_tried_again_and_not_for_ever(error):
    compute, calls = failing(error, ATTEMPTS - 1)
    assert (past_deadlocks(compute), len(calls)) == ("done", ATTEMPTS)
    compute, calls = failing(error, 99)
    with pytest.raises(OperationalError):
        past_deadlocks(compute)
    assert len(calls) == ATTEMPTS


@pytest.mark.parametrize("error", [of_postgresql("57014"), OperationalError("database is locked"), ValueError("x")])
def test_other_errors_are_nobodys_deadlock(error):
    compute, calls = failing(error, 1)
    with pytest.raises(type(error)):
        past_deadlocks(compute)
    assert len(calls) == 1


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_there_is_no_second_try():
    compute, calls = failing(DEADLOCKS[0], 1)
    with pytest.raises(OperationalError), transaction.atomic():
        past_deadlocks(compute)
    assert len(calls) == 1
