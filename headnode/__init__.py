"""From questions to answers: one request's commands, one SSM command, decoded results, kept for a few seconds."""
