"""The deployable artefact: what a Lambda function unpacks into /var/task. Made without Docker and without AWS."""
