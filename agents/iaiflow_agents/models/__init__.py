"""Models behind one small protocol: Claude, services that speak like OpenAI's, and scripts."""
