"""What a controller says of itself in numbers, for Prometheus: docs/operate.md."""
