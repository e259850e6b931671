"""One command per file; each calls one function and prints."""
