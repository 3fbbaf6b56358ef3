"""What every request to the local S3 passes before the store sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from exchanger.sandbox.http.local_only import stranger

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_TAKEN_FOR = "binary/octet-stream"
"""What S3 says of an object of which nobody named the type."""
_POSTS_TO_A_KEY = frozenset({"uploads", "uploadId", "restore", "select"})
_ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Error><Code>{code}</Code><Message>{message}</Message></Error>"
)
_NO_POST = (
    "405 Method Not Allowed",
    "MethodNotAllowed",
    "The specified method is not allowed against this resource: use PUT, such as curl -fT FILE",
)
_NO_FORM = (
    "412 Precondition Failed",
    "PreconditionFailed",
    "Bucket POST must be of the enclosure-type multipart/form-data",
)


class S3Door:
    """
    WSGI in front of the store: local programs only, and bodies as they were sent.

    The store would take the body of a PUT for a form and lose it if its type says so, as curl and
    urllib say unless told otherwise. And it has no answer to a POST that S3 does not know.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass a request on, or refuse it."""
        problem = stranger(environ.get("HTTP_HOST"), environ.get("HTTP_ORIGIN"))
        if problem is not None:
            return _refused(start_response, "403 Forbidden", "AccessDenied", problem)
        method = environ["REQUEST_METHOD"]
        if method == "PUT" and _is_form(environ):
            environ["CONTENT_TYPE"] = _TAKEN_FOR
        if method == "POST" and (wrong := _wrong_post(environ)):
            return _refused(start_response, *wrong)
        return self._app(environ, start_response)


def _is_form(environ: dict[str, Any]) -> bool:
    return str(environ.get("CONTENT_TYPE", "")).strip().lower().startswith(_FORMS)


def _wrong_post(environ: dict[str, Any]) -> tuple[str, str, str] | None:
    asked = set(parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    key = environ["PATH_INFO"].strip("/").partition("/")[2]
    if key:
        return None if asked & _POSTS_TO_A_KEY else _NO_POST
    kind = str(environ.get("CONTENT_TYPE", "")).lower()
    return None if "delete" in asked or kind.startswith(_FORMS[1]) else _NO_FORM


def _refused(start_response: Any, status: str, code: str, message: str) -> Iterable[bytes]:
    body = _ERROR.format(code=code, message=message).encode()
    start_response(
        status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    )
    return [body]
