"""How each field gets its data: what the whole operation needs, asked for at once, resolved from memory."""
