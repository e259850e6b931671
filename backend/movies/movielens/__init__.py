"""Reading MovieLens-100k and writing it into the tables."""
