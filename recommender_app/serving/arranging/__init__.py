"""The stages that make a slate of a pool: business rules, fatigue, diversity, caps, quotas, exploration, pins."""
