"""Which worker speaks with which gateway: leases that are renewed, and taken over when they end."""
