"""The fetcher: a program of its own that fetches what sources name, unpacks it and builds artifacts of it.

What comes from outside is handled here alone, in one disposable process and one disposable folder a request, with
limits. The operator asks over HTTP (`protocol.py`) and gets the artifact, or a refusal in words.
"""
