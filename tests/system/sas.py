# SPDX-License-Identifier: Apache-2.0
"""A shared access signature, made here by other means than the program's own."""

import base64
import hashlib
import hmac
import time
import urllib.parse


def token(resource, key, lifetime=3600, policy=None):
    sr = urllib.parse.quote(resource, safe="")
    se = str(int(time.time()) + lifetime)
    sig = base64.b64encode(hmac.new(base64.b64decode(key), f"{sr}\n{se}".encode(), hashlib.sha256).digest()).decode()
    text = f"SharedAccessSignature sr={sr}&sig={urllib.parse.quote(sig, safe='')}&se={se}"
    return text + (f"&skn={policy}" if policy else "")


def service_token(connection_string):
    parts = dict(part.split("=", 1) for part in connection_string.split(";"))
    return token(parts["HostName"].split(":")[0], parts["SharedAccessKey"], policy=parts["SharedAccessKeyName"])
