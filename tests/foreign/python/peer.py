"""PyJWT and standardwebhooks, asked over standard input and output: one JSON object a line, one answer a line."""

import base64
import json
import sys
import warnings
from datetime import datetime, timezone

import jwt
from standardwebhooks import Webhook

warnings.simplefilter("error")


def verify_jwt(ask):
    key = base64.b64decode(ask["key"])
    decoded = jwt.decode_complete(
        ask["token"],
        key,
        algorithms=["HS256"],
        audience=ask["aud"],
        options={"require": ["exp", "iat", "aud"]},
    )
    if decoded["header"]["typ"] != ask["typ"]:
        raise ValueError("another typ")
    return {"claims": decoded["payload"], "kid": decoded["header"].get("kid")}


def sign_jwt(ask):
    key = base64.b64decode(ask["key"])
    return {"token": jwt.encode(ask["claims"], key, algorithm="HS256", headers={"typ": ask["typ"], "kid": ask["kid"]})}


def verify_webhook(ask):
    Webhook(ask["whsec"]).verify(ask["body"], ask["headers"])
    return {}


def sign_webhook(ask):
    at = datetime.fromtimestamp(ask["seconds"], tz=timezone.utc)
    return {"signature": Webhook(ask["whsec"]).sign(ask["id"], at, ask["body"])}


DOES = {f.__name__: f for f in (verify_jwt, sign_jwt, verify_webhook, sign_webhook)}

for line in sys.stdin:
    ask = json.loads(line)
    try:
        answer = {"ok": True, **DOES[ask["do"]](ask)}
    except Exception as error:
        answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
