"""A simulated world into the tables, and out of them again."""
