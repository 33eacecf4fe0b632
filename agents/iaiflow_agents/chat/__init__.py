"""Conversations with agents in a notebook: the kernel's side. The pages' side is in extension/.

A thread of questions and answers is a file of the workspace; each question is a run. Nothing of it
is imported until a chat is opened.
"""
