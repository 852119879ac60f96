import geo
from table import client


@geo.function
def handler(body, context):
    lat, lon = geo.point(body)
    owner, name = geo.texts(body, "owner", "name")
    pk, sk, gpk = f"RT:{owner}", f"{name}#{context.aws_request_id}", geo.cells(lat, lon)[0]
    item = {"pk": pk, "sk": sk, "gpk": gpk, "gsk": f"{pk}:{sk}", "owner": owner, "name": name, "lat": body["lat"], "lon": body["lon"]}
    client.put_item(TableName="geo", Item={field: {"S": value} for field, value in item.items()})
    return {"pk": pk, "sk": sk, "gpk": gpk}
