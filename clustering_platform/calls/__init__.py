"""Calls of paid services over HTTP: retries, rate limits, work done side by side.

Here belongs what is the same for every service that is paid by the call; what is asked of it, and what its answers
mean, belongs to the caller. Every wait goes through a `Clock`, so that tests need not wait.
"""
