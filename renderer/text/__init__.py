"""Words as pixels: fonts, shaping, and texts made fit for their boxes."""
