"""Rendering in processes beside the controller, for batches where that pays."""
