"""A shop in a box: gateways and labels that speak the real wire protocol over a real broker.

::

    shop      builds the gateways and labels of a shop and runs them      ┐ asyncio, MQTT,
    uplink    one gateway's life on the broker, session after session     ┘ the caller's clock
    faults    loses, doubles and damages payloads on their way
    ─────────────────────────────────────────────────────────────────────
    gateway   sessions, commands in, events out, beacons, heartbeats      ┐ synchronous steps:
    queue     one piece of work per label, a window for all of them       │ messages and the time
    label     slots, revisions, glass, battery                            │ in, events and the next
    picture   the bytes of a `put` become a verified frame                ┘ wake time out

The simulator keeps the rules G1 to G8 and L1 to L4 of the protocol and sees what a real gateway
sees: the broker, and the controller's public key. Clock, sleep and chance come from the caller.
"""
