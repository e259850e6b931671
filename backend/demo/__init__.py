"""The demo: load, train, measure, serve, ask."""
