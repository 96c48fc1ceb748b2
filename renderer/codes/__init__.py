"""Codes that scanners read: QR, EAN and UPC, Code 128, ITF-14, DataMatrix; placed and read back."""
