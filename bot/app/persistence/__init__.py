"""The database and the files of a running kefu: opening, adapting, keeping and clearing them."""
