import boto3
from botocore.config import Config

client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))


def handler(_event, _context):
    return {"statusCode": 200, "body": '{"warm":true}'}
