"""The site's WSGI entry, which asks every engine before gunicorn forks: the worst that --preload can be given."""

from backend.wsgi import application
from tests.faults.site.warming import ask_every_engine

__all__ = ["application"]

ask_every_engine()
