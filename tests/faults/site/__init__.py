"""The toy host as a real site: gunicorn, PostgreSQL, Redis."""
