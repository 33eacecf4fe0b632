"""Agents for IAI Flow Lab: the agent loop, models, tools and prompts."""
