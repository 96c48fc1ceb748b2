"""The conformance kit: what every gateway must keep, judged from outside, over the wire alone."""
