"""What boto3 does with an S3 at ENDPOINT, as its defaults are: signed, with checksums, large uploads in parts."""

import io
import os

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

client = boto3.client(
    "s3",
    endpoint_url=os.environ["ENDPOINT"],
    aws_access_key_id=os.environ["KEY_ID"],
    aws_secret_access_key=os.environ["KEY_SECRET"],
    region_name="us-east-1",
    config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
)
MIB = 1024 * 1024
NAME = "folder/small ä&+%41"

large = bytes(range(256)) * 4 * 1024 * 16
parts = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=5 * MIB)
client.upload_fileobj(io.BytesIO(large), "bucket", "large", Config=parts)
head = client.head_object(Bucket="bucket", Key="large")
assert head["ContentLength"] == len(large), head

client.put_object(
    Bucket="bucket", Key=NAME, Body=b"content", Metadata={"mtime": "1"}, StorageClass="STANDARD_IA"
)
got = client.get_object(Bucket="bucket", Key=NAME)
assert got["Body"].read() == b"content"
assert (got["Metadata"], got["StorageClass"]) == ({"mtime": "1"}, "STANDARD_IA"), got
client.copy_object(Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": NAME})

listed = client.list_objects_v2(Bucket="bucket")
assert [entry["Key"] for entry in listed["Contents"]] == ["copy", NAME, "large", "pattern"], listed
root = client.list_objects_v2(Bucket="bucket", Delimiter="/")
assert root["CommonPrefixes"] == [{"Prefix": "folder/"}], root

part = client.get_object(Bucket="bucket", Key="pattern", Range="bytes=5-104")
assert len(part["Body"].read()) == 100
removed = client.delete_objects(
    Bucket="bucket", Delete={"Objects": [{"Key": "copy"}, {"Key": NAME}]}
)
assert len(removed["Deleted"]) == 2, removed
print("done")
