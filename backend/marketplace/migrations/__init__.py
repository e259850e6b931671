"""Schema of the marketplace."""
