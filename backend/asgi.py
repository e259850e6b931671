"""ASGI entry point."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
os.environ.setdefault("WEB_PROCESS", "true")  # settings.py: queries may be cut short, those of a training may not

from django.core.asgi import get_asgi_application

application = get_asgi_application()
