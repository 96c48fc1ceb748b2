"""The audit chain's keeper, its files, and proofs that leave the house."""
