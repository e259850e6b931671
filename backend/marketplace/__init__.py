"""The start-up matchmaking platform."""
