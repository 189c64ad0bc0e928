"""Web APIs described by an OpenAPI document, as a Toolbox.

document -> listing -> operations (with schemas) -> encoding, and credentials beside them; `toolbox` is what is used.
"""
