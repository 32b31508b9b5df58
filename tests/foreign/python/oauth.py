"""Authlib and requests-oauthlib, asked over standard input and output: one JSON object a line, one answer a line."""

import json
import os
import sys

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # this machine alone

from authlib.integrations import requests_client as authlib  # noqa: E402
from oauthlib.oauth2 import BackendApplicationClient  # noqa: E402
from oauthlib.oauth2.rfc6749.errors import OAuth2Error  # noqa: E402
from requests.auth import HTTPBasicAuth  # noqa: E402
from requests_oauthlib import OAuth2Session  # noqa: E402


def authlib_token(ask):
    session = authlib.OAuth2Session(ask["id"], ask["secret"], token_endpoint_auth_method=ask["method"])
    return session.fetch_token(ask["url"] + "/token", grant_type="client_credentials")["access_token"]


def authlib_introspect(ask):
    session = authlib.OAuth2Session(ask["id"], ask["secret"], token_endpoint_auth_method=ask["method"])
    return session.introspect_token(ask["url"] + "/introspect", token=ask["token"]).json()["active"]


def requests_token(ask):
    session = OAuth2Session(client=BackendApplicationClient(client_id=ask["id"]))
    if ask["method"] == "client_secret_basic":
        # As bytes, since requests sends texts in Latin-1.
        how = {"auth": HTTPBasicAuth(ask["id"].encode(), ask["secret"].encode())}
    else:
        how = {"client_secret": ask["secret"], "include_client_id": True}
    return session.fetch_token(token_url=ask["url"] + "/token", **how)["access_token"]


DOES = {
    ("Authlib", "token"): authlib_token,
    ("Authlib", "introspect"): authlib_introspect,
    ("requests-oauthlib", "token"): requests_token,
}

for line in sys.stdin:
    ask = json.loads(line)
    try:
        answer = {"answer": DOES[ask["library"], ask["do"]](ask)}
    except (OAuth2Error, authlib.OAuthError) as error:
        answer = {"error": error.error}
    except UnicodeEncodeError:
        answer = {"not_sent": True}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
