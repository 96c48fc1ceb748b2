"""The pages people look at: drawn on the server, live by server-sent events, no outside request."""
