"""The front doors: HTTP API, live pages, command line; and the composition root behind them."""
