"""The road to the shelf and back: what is due, its pixels, MQTT, and what gateways report."""
