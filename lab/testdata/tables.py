# Calls the lab's DynamoDB with unmodified boto3. It prints "ok" or ends with an error.
import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config
from botocore.exceptions import ClientError

table = boto3.resource("dynamodb", config=Config(retries={"total_max_attempts": 1})).Table("places")
with table.batch_writer() as batch:
    for i in range(30):
        batch.put_item(Item={"pk": "py", "sk": f"{i:02}", "gpk": "r653", "gsk": f"RT:py:{i:02}", "tags": {"a", "b"}, "deep": {"list": [1, None, True, b"\0"]}})
found = table.query(IndexName="geo-index", KeyConditionExpression=Key("gpk").eq("r653") & Key("gsk").between("RT:py:03", "RT:py:05"))
assert [i["sk"] for i in found["Items"]] == ["03", "04", "05"], found
assert found["Items"][0]["tags"] == {"a", "b"} and found["Items"][0]["deep"]["list"][:3] == [1, None, True], found
assert table.get_item(Key={"pk": "py", "sk": "00"}, ConsistentRead=True)["Item"]["gpk"] == "r653"
assert "Item" not in table.get_item(Key={"pk": "py", "sk": "30"})
for call, error in (
    (lambda: table.get_item(Key={"pk": "py"}), "ValidationException"),
    (lambda: table.scan(), "UnknownOperationException"),
    (lambda: table.query(KeyConditionExpression=Key("pk").eq("py"), Limit=1), "ValidationException"),
    (lambda: table.query(KeyConditionExpression=Key("pk").eq("py"), FilterExpression=Key("n").eq(1)), "ValidationException"),
    (lambda: boto3.resource("dynamodb").Table("elsewhere").get_item(Key={"pk": "a"}), "ResourceNotFoundException"),
):
    try:
        call()
        raise AssertionError("no " + error)
    except ClientError as e:
        assert e.response["Error"]["Code"] == error, e
print("ok")
