"""Schema of the movies."""
