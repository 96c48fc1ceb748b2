"""TLS of our own: a small authority, the certificates that it signs, and the server's side."""
