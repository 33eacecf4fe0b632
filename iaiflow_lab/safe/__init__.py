"""The only doors for what others name: a file by path, a page by address, data as JSON."""
