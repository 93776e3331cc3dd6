"""The API's errcodes with the platform's words."""

ERRORS = {
    -1: "system error",
    0: "ok",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40018: "invalid button name size",
    40023: "invalid sub button size",
    40033: "invalid charset",
    40125: "invalid appsecret",
    41001: "access_token missing",
    42001: "access_token expired",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44004: "empty text content",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "command is limited: no message of the user within 30 seconds",
    45081: "already typing",
    47001: "data format error",
    48001: "api unauthorized",
    50002: "user limited",
}


class ApiError(Exception):
    """The call is refused with this errcode."""

    def __init__(self, errcode: int) -> None:
        super().__init__(ERRORS.get(errcode, "unknown"))
        self.errcode = errcode


def body_of(errcode: int) -> dict[str, object]:
    """The JSON of an errcode."""
    return {"errcode": errcode, "errmsg": ERRORS.get(errcode, "unknown")}
