"""What connectors that speak HTTP have in common: bodies read with a limit, faults told apart."""

from __future__ import annotations

from aiohttp import (
    ClientConnectorError,
    ClientResponse,
    ConnectionTimeoutError,
    StreamReader,
    web,
)

from connectors.errors import BadWebhook, MediaGone, Retryable

MAX_WEBHOOK_BYTES = 1024 * 1024
"""Far more than a platform pushes at once; files come by address, never in a push."""
_CHUNK = 64 * 1024


async def read_request(
    request: web.Request, max_bytes: int = MAX_WEBHOOK_BYTES, too_large: str = "too large"
) -> bytes:
    """The body of a call to us, as it came: signatures are made over that.

    Raises:
        BadWebhook: 413: it is larger than that; no more of it is read.
    """
    content = await _read(request.content, request.content_length, max_bytes)
    if content is None:
        raise BadWebhook(413, too_large)
    return content


async def read_response(response: ClientResponse, max_bytes: int) -> bytes:
    """The body of an answer to us.

    Raises:
        MediaGone: ``too_large``; no more of it is read.
    """
    content = await _read(response.content, response.content_length, max_bytes)
    if content is None:
        raise MediaGone("too_large")
    return content


async def _read(stream: StreamReader, length: int | None, max_bytes: int) -> bytes | None:
    # a length is a claim: what comes is counted as well
    if (length or 0) > max_bytes:
        return None
    content = bytearray()
    async for chunk in stream.iter_chunked(_CHUNK):
        content += chunk
        if len(content) > max_bytes:
            return None
    return bytes(content)


def fault(error: Exception) -> Retryable:
    """What came of a request that has no answer.

    Args:
        error: ``TimeoutError``, ``aiohttp.ClientError`` or ``OSError``. Its text is not told: it
            names the address, and the address may hold a token or a customer.
    """
    maybe_sent = not isinstance(error, ClientConnectorError | ConnectionTimeoutError)
    if isinstance(error, TimeoutError):
        return Retryable("timeout", "no answer in time", maybe_sent=maybe_sent)
    return Retryable("network", type(error).__name__, maybe_sent=maybe_sent)


__all__ = ["MAX_WEBHOOK_BYTES", "fault", "read_request", "read_response"]
