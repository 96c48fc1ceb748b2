"""Connectors: shop systems that are asked what has changed.

    runner ──claim──▶ place (cursor, progress)
           ──read_page──▶ connector ──one page──▶ shop's HTTP API
           ──take + new place──▶ one transaction

A page and the place after it are committed together: a crash between them repeats the page, and
a price that is told twice changes nothing.
"""
