"""What people and machines ask for. A service takes a transaction and never commits it."""
