"""The local SSM endpoint, seen through boto3."""
