"""Signing in by an OpenID provider: authorization code flow with PKCE, OpenID Connect Core 1.0.

::

    GET /sign-in/oidc          a cookie of ten minutes with a secret ──▶ to the provider, with
                               state, nonce and code challenge, each made of that secret
    GET /sign-in/oidc/return   the same browser with that state ──▶ code and verifier to the
                               provider, an ID token back ──▶ checked ──▶ a session

What is asked of the provider is bounded in time and size, and goes to https alone, or to plain
http on this machine where the provider itself is there.
"""
