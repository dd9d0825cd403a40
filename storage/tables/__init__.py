"""One module of tables per part of the house, all on one metadata."""
