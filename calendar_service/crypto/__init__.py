"""Keys and what is computed with them. Knows no store, no Google, no web."""
