"""Rows that the request log's table refused, in append-only files until it takes them."""
