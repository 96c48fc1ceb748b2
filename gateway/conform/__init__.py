"""The conformance kit: it plays the controller to one gateway and judges it from outside.

::

    line ─▶ conversation ─▶ probes: door, glass, order, life, hands, levels ─▶ report
    (MQTT,   (signs, sends,   (each asks something and          (a verdict a rule,
     or a     listens,         says what it saw)                 the level that was shown)
     test's)  waits)

It sees what a controller sees and nothing else: payloads on three topics. What only a person at
the shelf can bring about (a label out of reach, a battery taken out) is asked of an operator, or
said to need one.
"""
