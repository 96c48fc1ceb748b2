"""Pictures in answers."""

from fastapi import Response


class PngResponse(Response):
    """A picture; as a route's response class it says in the description what comes."""

    media_type = "image/png"
