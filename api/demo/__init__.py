"""The demo: a sample shop, its controller and its simulated shelf, started by one command."""
