"""Doors through which tills and shops tell of prices, beside the HTTP API."""
