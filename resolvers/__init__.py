"""How each field gets its data: everything an operation reads is fetched at once; then fields answer from memory."""
