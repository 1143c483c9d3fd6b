"""Whether a caller may ask for more: one organization must not stop the others."""
