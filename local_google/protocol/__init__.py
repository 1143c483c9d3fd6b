"""HTTP/1.1 on raw sockets."""
