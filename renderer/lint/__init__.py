"""Checks of a template when it is saved: drawn with its own data, judged by what came out."""
