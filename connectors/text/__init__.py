"""Text on its way to a channel: cut to length, buttons as numbered lines, markup. Pure."""
