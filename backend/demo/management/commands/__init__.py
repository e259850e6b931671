"""Command-line door of the demo."""
