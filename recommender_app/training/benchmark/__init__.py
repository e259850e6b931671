"""Engines measured on plain files: no use case, no database."""
