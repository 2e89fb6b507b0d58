"""PM2's ecosystem files: the program that one is, run; its apps made into services."""
