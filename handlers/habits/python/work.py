"""Reads a setting, writes five items, and digests some MB. It has the habits that guides praise, except the one that TWINSTART_CODE names:
inside, eager, reconnect, fetched, single or cores, as in ../node/work.mjs."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

LACKS, TABLE = os.environ.get("TWINSTART_CODE"), os.environ.get("TABLE", "geo")


def connect():
    return boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))


outside = None if LACKS == "inside" else connect()
if LACKS == "eager":
    import asyncio, multiprocessing, unittest, xml.dom.minidom, xmlrpc.client  # noqa: E401,F401

kept = None


def rested(client):
    """The client, without its connections if none is to be kept."""
    if LACKS == "reconnect":
        client.close()
    return client


def setting(client):
    global kept
    if kept is None or LACKS == "fetched":
        found = rested(client).get_item(TableName=TABLE, Key={"pk": {"S": "levers"}, "sk": {"S": "setting"}})
        kept = found.get("Item", {}).get("value", {}).get("S", "none")
    return kept


def write(client, items):
    if LACKS == "single":
        for item in items:
            rested(client).put_item(TableName=TABLE, Item=item)
    else:
        rested(client).batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": item}} for item in items]})


def digest(mb):
    parts = [bytes([byte]) * (mb << 18) for byte in range(4)]
    with ThreadPoolExecutor(1 if LACKS == "cores" else 4) as threads:  # hashlib gives up the interpreter's lock
        digests = threads.map(lambda part: hashlib.sha256(part).digest(), parts)
        return hashlib.sha256(b"".join(digests)).hexdigest()


def handler(event, context):
    client = outside or connect()
    items = [{"pk": {"S": "levers"}, "sk": {"S": f"item-{i}"}, "value": {"S": str(event["mb"])}} for i in range(5)]
    value = setting(client)
    write(client, items)
    return {"setting": value, "written": len(items), "digest": digest(event["mb"])}
