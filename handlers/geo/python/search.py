import geo
import table


@geo.function
def handler(body, _context):
    return table.search(body, map)
