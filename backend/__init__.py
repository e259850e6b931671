"""The host project: knows the recommender only through settings, urls and declarations."""
