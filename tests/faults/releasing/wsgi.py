"""The site's WSGI application; each answer says which process gave it."""

import os

from backend.wsgi import application as site


def application(environ, start_response):
    def with_process(status, headers, *rest):
        return start_response(status, [*headers, ("X-Process", str(os.getpid()))], *rest)

    return site(environ, with_process)
