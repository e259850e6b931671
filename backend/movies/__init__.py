"""Movies rated by viewers: MovieLens-100k, a host of another shape than the marketplace."""
