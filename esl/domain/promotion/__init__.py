"""Promotions as pure rules: what they are, when they run, who wins, and what a label may say.

::

    Promotion ──▶ window.runs in the store's zone ──▶ Book.at(moment) ──▶ Running, by product
    Base, history, law profile ────────────────────────────────────────┴─▶ offer_for ──▶ Offer
                                                                                          │
                                                       explaining.explain ◀─ reason ◀─────┘
"""
