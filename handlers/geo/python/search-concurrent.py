from concurrent.futures import ThreadPoolExecutor

import geo
import table

pool = ThreadPoolExecutor(9)


@geo.function
def handler(body, _context):
    return table.search(body, pool.map)
