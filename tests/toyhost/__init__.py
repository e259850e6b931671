"""A library: readers, books, readings."""
