"""Plain facts and rules: no database, no network, no pixels."""
