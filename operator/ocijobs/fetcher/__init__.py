"""The fetcher: a program of its own that fetches sources, unpacks them and builds artifacts.

Only this program handles bytes from outside: in one disposable process and one disposable folder for each request, with
limits. The operator asks over HTTP (`protocol.py`) and gets the artifact, or a refusal with a message.
"""
