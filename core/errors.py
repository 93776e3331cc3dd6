"""What can go wrong for a reason the other side can understand.

``Refusal`` is the business saying no (with the way on); the others are about the call itself. ``detail`` is Chinese and
made to be shown; ``code`` is for programs and tests.
"""


class ZhikeError(Exception):
    """Base of everything we raise on purpose. ``status`` is the HTTP status it becomes (RFC 9457 problem)."""

    status = 400
    title = "请求有误"

    def __init__(self, detail: str, *, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class Unauthenticated(ZhikeError):
    """No token, or one that is no longer good."""

    status = 401
    title = "需要重新登录"


class Forbidden(ZhikeError):
    """Known, but not for this role. Only where knowing that it exists gives nothing away."""

    status = 403
    title = "没有权限"


class NotFound(ZhikeError):
    """Unknown – or somebody else's, which must look the same."""

    status = 404
    title = "没有找到"


class Conflict(ZhikeError):
    """The thing is not in the state that the call needs."""

    status = 409
    title = "现在不能这样做"


class TooLarge(ZhikeError):
    """More than we take at once."""

    status = 413
    title = "内容太大"


class Invalid(ZhikeError):
    """Understood, but a value is wrong."""

    status = 422
    title = "内容不符合要求"


class Busy(ZhikeError):
    """Too much to do at this moment; the same call will work a little later."""

    status = 503
    title = "现在有点忙"


class TooMany(ZhikeError):
    """Slow down; ``retry_after_seconds`` says how long."""

    status = 429
    title = "操作太频繁"

    def __init__(self, detail: str, *, retry_after_seconds: int = 10, code: str = "") -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds


class Refusal(ZhikeError):
    """A rule of the shop forbids it. ``detail`` says why and what can be done instead, ``way_on`` are next steps.

    ``way_on`` holds the titles of quick replies the customer can choose from.
    """

    status = 409
    title = "按规则暂时办不了"

    def __init__(self, detail: str, *, code: str, way_on: tuple[str, ...] = ()) -> None:
        super().__init__(detail, code=code)
        self.way_on = way_on
