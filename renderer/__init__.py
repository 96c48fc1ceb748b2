"""A face becomes a frame: pure, so that the same face on the same panel is the same bytes.

No clock, no chance, no database, no network, and no file outside this package's own data.
"""
