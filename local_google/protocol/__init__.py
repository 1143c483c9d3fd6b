"""HTTP/1.1 with the raw socket at hand."""
