"""The toy host with Celery workers, a beat and a broker of its own."""
