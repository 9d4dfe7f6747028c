"""The gateway: a process of its own that owns every stable port of the local stages.

It outlives Windlass, so that what is deployed stays reachable while Windlass is restarted or killed.
There is one a data folder. `GatewayClient` (client.py) starts or adopts it; the rest of this package
is the program. The program imports the standard library and aiohttp only, to stay small.

What the two share is a folder:

    lock          flock'ed by the gateway for as long as it lives
    process.json  its process id and where its control socket is
    routes/       one JSON file a route, replaced atomically; read again at every `sync`
    log           what changed, and what went wrong; rotated
"""
