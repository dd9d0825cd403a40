"""The one gate to what may be shown of orders and cards."""
