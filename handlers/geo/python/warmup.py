import table


def handler(_event, _context):
    table.touch()
    return {"statusCode": 200, "body": '{"warm":true}'}
