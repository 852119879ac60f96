# Calls the lab with unmodified boto3. The arguments are the lab's address, a ZIP and an architecture. It prints "ok" or ends with an error.
import json, sys, time, urllib.request, boto3

endpoint, archive, architecture = sys.argv[1:]
c = boto3.client("lambda", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
name = "py"
code = open(archive, "rb").read()
made = c.create_function(FunctionName=name, Role="arn:aws:iam::000000000000:role/r", Runtime="provided.al2023", Handler="h",
                         Architectures=[architecture], Code={"ZipFile": code}, Environment={"Variables": {"GREETING": "hello"}})
assert made["CodeSize"] == len(code), made
c.get_waiter("function_active_v2").wait(FunctionName=name)
answer = c.invoke(FunctionName=name, Payload=b'{"a":1}', LogType="Tail")
assert answer["Payload"].read() == b'{"a":1}' and "FunctionError" not in answer, answer
c.update_function_code(FunctionName=name, ZipFile=code, Publish=True)
c.get_waiter("function_updated_v2").wait(FunctionName=name)
stream = c.invoke_with_response_stream(FunctionName=name, Payload=b'{"b":2}')["EventStream"]
assert b"".join(e["PayloadChunk"]["Payload"] for e in stream if "PayloadChunk" in e) == b'{"b":2}'
assert c.get_function(FunctionName=name)["Configuration"]["Environment"]["Variables"] == {"GREETING": "hello"}
c.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
assert c.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 3
c.delete_function_concurrency(FunctionName=name)
c.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
for _ in range(600):
    if c.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")["Status"] == "READY":
        break
    time.sleep(0.1)
else:
    raise AssertionError("after a minute the provisioned concurrency is not ready")
assert len(c.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]) == 1
c.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
url = c.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
assert json.load(urllib.request.urlopen(url + "path?x=1"))["rawPath"] == "/path"
assert len(c.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]) == 1
assert c.get_account_settings()["AccountUsage"]["FunctionCount"] == len(c.list_functions()["Functions"])
c.delete_function(FunctionName=name)
for call in (lambda: c.get_function(FunctionName=name), lambda: c.get_policy(FunctionName="F"), lambda: c.get_function_url_config(FunctionName="F")):
    try:
        call()
        raise AssertionError("no error")
    except c.exceptions.ResourceNotFoundException:
        pass
print("ok")
