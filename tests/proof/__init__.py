"""Proof by many labels: whatever a shop sells, its label is true, whole and readable."""
