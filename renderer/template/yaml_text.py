"""YAML as templates use it; read by `esl.intake.yaml_text`, as every file of ours is."""

from esl.intake.yaml_text import BYTES_MOST, DEEPEST, NODES_MOST, Span, YamlDocument, read_yaml

__all__ = ["BYTES_MOST", "DEEPEST", "NODES_MOST", "Span", "YamlDocument", "read_yaml"]
