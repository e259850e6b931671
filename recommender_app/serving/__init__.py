"""From a request to an answer: loaded releases, router, pipeline, request log."""
