"""Who is calling, as which cluster user, and what they may do."""
