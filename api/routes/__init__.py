"""HTTP endpoints, a few lines each: who may, read, do, answer."""
