"""Doors of templates."""
