"""One HTTP client for calls without TLS: a new one would read the whole certificate store each time."""

import ssl

import httpx

http = httpx.Client(
    trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), limits=httpx.Limits(max_keepalive_connections=0)
)
