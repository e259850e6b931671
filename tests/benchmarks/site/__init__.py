"""The site that is measured: 100,000 books, four engines, gunicorn on PostgreSQL."""
