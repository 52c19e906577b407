"""The HTTP side: what stands between the gateway's event and the schema.

application.py tells the story of a request; negotiation, refusals, trusted documents, GraphiQL's files, headers and
compression are a module each.
"""
