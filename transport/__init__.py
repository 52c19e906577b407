"""The HTTP side: everything between the gateway's event and the schema.

application.py shows the way of a request. Negotiation, refusals, trusted documents, GraphiQL's files, CORS, the log and
limits have a module each.
"""
