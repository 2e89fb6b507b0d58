"""The running project's API on a Unix socket, and its client.

Each run that has something to be asked for listens in its private folder (``process.
private_folder``), beside a file that says which project it is. HTTP and JSON, versioned ``/v1``.
"""
