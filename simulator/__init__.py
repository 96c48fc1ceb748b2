"""A shop in a box: gateways and labels that speak the real wire protocol over a real broker.

::

    scenario   a shop and its troubles in YAML: scenario_text, timeline   ┐
    control    fault buttons over HTTP: buttons, overview                 │ asyncio, MQTT,
    shop       builds the gateways and labels of a shop (ceiling: runs)   │ the caller's clock
    uplink     one gateway's life on the broker, session after session    │
    faults     loses, doubles and damages payloads on their way           ┘
    ────────────────────────────────────────────────────────────────────────
    gateway    sessions, beacons, heartbeats; thin: one without labels    ┐
    orders     what it is told: parts, timed, firmware, results, agenda   │ synchronous steps:
    queue      one piece of work per label, a window for all of them      │ messages and the time
    radio      airtime and losses, one transfer at a time                 │ in, events and the next
    label      slots, revisions, glass; battery                           │ wake time out
    picture    the bytes of a `put` become a verified picture             ┘

The simulator keeps the rules G1 to G8 and L1 to L4 of the protocol and sees what a real gateway
sees: the broker, and the controller's public key. Clock, sleep and chance come from the caller.
How all of it behaves is said in `simulator.options`; by default everything is instant.
"""
