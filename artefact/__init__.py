"""The deployable artefact, which Lambda unpacks into /var/task; it is built without Docker and without AWS."""
