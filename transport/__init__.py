"""The HTTP side: what stands between the gateway's event and the schema."""
