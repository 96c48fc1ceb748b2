"""The gateway protocol, version 1: messages, bytes, topics and signatures. Knows nobody."""
