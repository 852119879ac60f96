// Calls the lab's DynamoDB with the unmodified AWS SDK for JavaScript. It prints "ok" or ends with an error.
import assert from "node:assert";
import { DynamoDBClient, PutItemCommand, QueryCommand, GetItemCommand } from "@aws-sdk/client-dynamodb";

const c = new DynamoDBClient({ maxAttempts: 1 });
const Item = { pk: { S: "js" }, sk: { S: "a" }, gpk: { S: "r654" }, gsk: { S: "RT:js:a" } };
await c.send(new PutItemCommand({ TableName: "places", Item }));
const found = await c.send(new QueryCommand({ TableName: "places", IndexName: "geo-index", KeyConditionExpression: "gpk = :g AND begins_with(gsk, :r)", ExpressionAttributeValues: { ":g": Item.gpk, ":r": { S: "RT:js:" } } }));
assert.deepStrictEqual(found.Items, [Item]);
await assert.rejects(c.send(new GetItemCommand({ TableName: "elsewhere", Key: { pk: { S: "a" } } })), { name: "ResourceNotFoundException" });
console.log("ok");
