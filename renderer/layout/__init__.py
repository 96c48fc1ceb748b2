"""From a template and a panel to boxes in pixels."""
