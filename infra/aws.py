"""Clients of AWS, and of servers that speak as it does: where their credentials and region come from."""

import boto3
from botocore.client import BaseClient
from botocore.config import Config

REGION = "us-east-1"  # what servers that know no regions sign with


def client(service: str, endpoint: str, config: Config, session: boto3.session.Session | None = None) -> BaseClient:
    """A client of a service at an endpoint, or at AWS for "".

    Without a region AWS's S3 tells where a bucket is; other services raise `botocore.exceptions.NoRegionError`.
    """
    session = session or boto3.session.Session()
    region = session.region_name or (REGION if endpoint or service == "s3" else None)
    return session.client(service, endpoint_url=endpoint or None, region_name=region, config=config)
