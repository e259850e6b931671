"""MovieLens: a second, differently shaped host."""
