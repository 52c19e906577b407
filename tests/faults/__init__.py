"""Every fault between a caller and slurmctld, and what the API makes of it: `make test-faults`."""
