"""Orders, cards, stock, and the one gate for what may be shown of them."""
