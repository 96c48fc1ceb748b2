"""The truth: products and prices, labels, what each wants to show and what it shows."""
