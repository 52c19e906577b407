"""One request's commands become one SSM command; its replies become values that are kept for a few seconds."""
