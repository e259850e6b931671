"""Command-line doors of the movies."""
