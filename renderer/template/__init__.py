"""The template language: YAML into typed elements, placeholders, conditions, the JSON Schema."""
