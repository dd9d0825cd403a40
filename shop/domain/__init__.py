"""Orders, cards, products and proofs, as values."""
