"""Promotions over their life: planned, staged, begun and ended at their moments, and explained.

::

    planning  draft ─▶ scheduled                   what a person does, each step audited
    edges     the next moment of each, staged ahead as a flip, turned once when it has come
    turning   products ─▶ offers ─▶ history, labels, one revision
    offering  what promotions make of tills' prices at a moment; writes nothing
    preview, progress, explaining                  for people

What a till says stays as it is (``price``); what holds beside it is ``offer``.
"""
