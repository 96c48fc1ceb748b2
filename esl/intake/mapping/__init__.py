"""How a source's files and bodies become entries: a mapping, the readers, and what they find."""
