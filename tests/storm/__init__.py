"""Many customers on several platforms at once, while everything goes wrong a little."""
