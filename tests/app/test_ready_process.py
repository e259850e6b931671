"""Which command lines serve."""

import pytest

from recommender_app.serving.process import is_serving_process


@pytest.mark.parametrize(
    ("argv", "environ", "serves"),
    [
        (["manage.py", "runserver"], {}, False),  # the reloader's parent
        (["manage.py", "runserver"], {"RUN_MAIN": "true"}, True),
        (["/srv/site/manage.py", "runserver", "--noreload"], {}, True),
        (["manage.py", "migrate"], {}, False),
        (["manage.py", "migrate"], {"RUN_MAIN": "true"}, False),
        (["manage.py", "test", "runserver"], {}, False),
        (["manage.py"], {}, False),
        (["/usr/bin/django-admin", "check"], {}, False),
        (["/lib/django/__main__.py", "runserver", "--noreload"], {}, True),
        (["/usr/bin/gunicorn", "site.wsgi"], {}, True),
        (["/lib/gunicorn/__main__.py", "site.wsgi"], {}, True),
        (["uwsgi"], {}, True),
        (["mod_wsgi"], {}, True),
        (["/usr/bin/uvicorn", "site.asgi:application"], {}, True),
        (["/usr/bin/celery", "-A", "site", "worker"], {}, False),
        (["/lib/celery/__main__.py", "worker"], {}, False),
        (["/usr/bin/pytest"], {}, False),
        (["/lib/pytest/__main__.py"], {}, False),
        (["-c"], {}, False),
        ([""], {}, False),
        ([], {}, False),
    ],
)
def test_models_are_loaded_only_where_requests_are_answered(argv, environ, serves):
    assert is_serving_process(argv, environ) is serves
