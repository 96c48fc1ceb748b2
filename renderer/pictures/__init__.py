"""Pictures on labels: built-in icons, and uploaded images in the inks of a panel."""
