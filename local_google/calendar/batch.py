"""Google's batch endpoint: several calls in one multipart request, each handled like a single call.

Source: Google's page on batch requests (docs/local-google.md, "Batch").
"""

from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from http.client import responses

from local_google.errors import ApiError
from local_google.protocol.messages import Request, Response

MOST = 50
BOUNDARY = "batch_local_google"


def serve(request: Request, one: Callable[[Request], Response]) -> Response:
    """Answer every part in order; refuse more than ``MOST`` parts."""
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/mixed"):
        return ApiError(400, "badRequest", "Failed to parse batch request.").answer()  # [R] the text
    whole = BytesParser(policy=HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode("latin-1") + request.body
    )
    parts = list(whole.iter_parts()) if whole.is_multipart() else []
    if not parts or len(parts) > MOST:
        message = f"The batch request must hold 1 to {MOST} calls."  # [R] the text
        return ApiError(400, "badRequest", message).answer()
    chunks = []
    for number, part in enumerate(parts):
        identifier = part.get("Content-ID", f"<{number}>")
        inner = _inner(part.get_payload(decode=True) or b"", request)
        answer = ApiError(400, "badRequest", "Bad Request").answer() if inner is None else one(inner)
        chunks.append(_part(identifier, answer))
    body = b"".join(chunks) + f"--{BOUNDARY}--\r\n".encode()
    return Response(200, body, f"multipart/mixed; boundary={BOUNDARY}")


def _inner(payload: object, outer: Request) -> Request | None:
    raw = payload if isinstance(payload, bytes) else b""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    words = lines[0].split(" ")
    if len(words) < 2 or not words[1].startswith(("/", "http")):
        return None
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if "authorization" in outer.headers:  # the outer request's token is the default of all parts
        headers.setdefault("authorization", outer.headers["authorization"])
    target = words[1]
    if target.startswith("http"):
        target = "/" + target.partition("://")[2].partition("/")[2]
    path, _, query = target.partition("?")
    return Request(words[0], path, query, headers, body.rstrip(b"\n"))


def _part(identifier: str, answer: Response) -> bytes:
    reply = identifier.replace("<", "<response-", 1)
    head = f"--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: {reply}\r\n\r\n"
    head += f"HTTP/1.1 {answer.status} {responses.get(answer.status, '')}\r\n"
    if answer.status not in (204, 304):
        head += f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    body = b"" if answer.status in (204, 304) else answer.body
    return head.encode() + b"\r\n" + body + b"\r\n"
