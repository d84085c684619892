"""Message types, and values drawn for them."""
