"""Makes the calls that standard input lists to a second emulator, moto, which runs in this process.

Input: [{"service", "operation", "parameters", "read": {"operation", "parameters"}}, ...], operations as in boto3.
Output: the answer of each read. Before a call its parameters are checked against AWS's own models, which botocore has. A call without a
read is only checked, because no emulator knows it.
"""
import json
import sys

import boto3
from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator
from moto import mock_aws


def check(client, operation, parameters):
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    found = ParamValidator().validate(parameters, model.input_shape)
    if found.has_errors():
        raise ParamValidationError(report=found.generate_report())


def answer(wanted):
    client = boto3.client(wanted["service"], region_name="us-east-1")
    if "read" not in wanted:
        check(client, wanted["operation"], wanted["parameters"])
        return {}
    getattr(client, wanted["operation"])(**wanted["parameters"])
    return getattr(client, wanted["read"]["operation"])(**wanted["read"]["parameters"])


with mock_aws():
    answers = []
    for wanted in json.load(sys.stdin):
        try:
            answers.append(answer(wanted))
        except Exception as error:  # every service has its own errors
            answers.append({"error": f'{wanted["operation"]}: {error}'})
    json.dump(answers, sys.stdout, default=str)
