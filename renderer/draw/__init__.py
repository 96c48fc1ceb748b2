"""Painters: one kind of element each, bound to a box of known size."""
