"""The product on a simulated clock, network and broker, with faults of every kind."""
