"""Has MinIO tell of what is put into, and removed from, a bucket that `nafuda migrate` made. Again does no harm."""

import os
from contextlib import closing

import boto3

ARN = "arn:minio:sqs::NAFUDA:amqp"  # the target that MINIO_NOTIFY_AMQP_*_NAFUDA describe


def main() -> None:
    """The bucket is NAFUDA_BUCKET on NAFUDA_OBJECTS_URL."""
    endpoint = os.environ["NAFUDA_OBJECTS_URL"].removeprefix("s3+")
    told = {"QueueArn": ARN, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    with closing(boto3.client("s3", endpoint_url=endpoint)) as s3:
        s3.put_bucket_notification_configuration(
            Bucket=os.environ.get("NAFUDA_BUCKET", "images"),
            NotificationConfiguration={"QueueConfigurations": [told]},
        )


if __name__ == "__main__":
    main()
