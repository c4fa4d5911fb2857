"""Is the service in this container alive? Exit 0 or 1, for HEALTHCHECK. Standard library only: it runs every half minute.

Asks `/healthz` of the console, or of `[metrics] port` where that is set: `HEALTHCHECK_URL` says so.
"""

import os
import sys
import urllib.request

URL = os.environ.get("HEALTHCHECK_URL") or f"http://127.0.0.1:{os.environ.get('SASEO_WEB__PORT') or 8787}/healthz"

if __name__ == "__main__":
    # The address is the operator's own; a proxy of the environment must not come between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(URL, timeout=4) as answer:
            sys.exit(0 if answer.status == 200 else 1)
    except OSError as error:
        sys.exit(f"{URL}: {error}")
