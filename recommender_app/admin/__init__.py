"""Plain, readable admin pages."""
