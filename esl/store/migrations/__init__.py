"""Alembic's scripts, shipped with the package; `esl.store.migrate` runs them."""
