"""What an uploaded picture may cost.

The largest labels have less than a million pixels, in four inks: none of these limits is felt by
who sends a logo or a photo, all of them by who tries to exhaust the controller.
"""

FILE_LIMIT_BYTES = 2 * 1024 * 1024
"""Size of the file as sent."""

PIXEL_LIMIT = 4_000_000
"""Width times height as stored in the file: 2000 x 2000, 16 MB decoded."""

SIDE_LIMIT_PX = 1360
"""The longer side of the largest panel (10.85", field notes, standards C.1); larger pictures are
accepted and scaled down to it."""

DECODING_BYTES = 512 * 1024 * 1024
"""Address space of the decoding process: interpreter and decoders take about 150 MB of it."""

DECODING_CPU_S = 5
"""Processor time of the decoding process: a 4-megapixel WebP takes about 0.4 s."""

DECODING_LONGEST_S = 15.0
"""Time on the wall, on a machine busy with other things."""
