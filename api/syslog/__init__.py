"""Log lines and audit checkpoints to a syslog server: RFC 5424 over a socket, UDP or TCP."""
