"""The start-up matchmaking platform: start-ups, developers, investors, and what they do."""
