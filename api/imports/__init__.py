"""Import jobs of this process: their files, and the thread that takes them one after another."""
