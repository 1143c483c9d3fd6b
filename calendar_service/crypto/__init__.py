"""Keys and what is computed with them."""
