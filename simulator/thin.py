"""A gateway that acknowledges everything at once and keeps nothing: what a controller can do."""
