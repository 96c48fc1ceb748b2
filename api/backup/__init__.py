"""Backups of an installation: one file, its parts, its keys, and the way back."""
