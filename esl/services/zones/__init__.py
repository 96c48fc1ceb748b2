"""Groups of stores and price zones."""
