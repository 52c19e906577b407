"""Who is calling, which cluster user they are, and what they may do."""
