"""Command-line doors of the marketplace."""
