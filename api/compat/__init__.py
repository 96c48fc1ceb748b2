"""Doors that answer as other makers' controllers do, so that a driver changes only its address."""
