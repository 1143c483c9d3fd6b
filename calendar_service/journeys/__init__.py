"""One file, one story. Knows the store and Google by their doors; must not know the web."""
