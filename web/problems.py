"""Errors as RFC 9457 problem JSON, in Chinese that says what to do next. No stack, no id of ours, no English."""

import logging
from typing import Any

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from core.errors import TooMany, ZhikeError

log = logging.getLogger(__name__)

WORDS = {
    400: ("请求有误", "内容没有读懂，请检查格式（UTF-8 的 JSON）后再发一次。"),
    401: ("需要重新登录", "登录信息缺失或已失效，请重新进入。"),
    403: ("没有权限", "这个操作需要别的权限，请联系管理员。"),
    404: ("没有找到", "没有找到您要的内容，请核对后再试。"),
    405: ("不支持这种请求", "这个地址不支持这种请求方式。"),
    409: ("现在不能这样做", "状态刚刚变了，请刷新后再试。"),
    413: ("内容太大", "一次发的内容太大了，请分成几条或压缩后再发。"),
    415: ("格式不支持", "请用 JSON 格式（Content-Type: application/json）。"),
    422: ("内容不符合要求", "有一项内容不符合要求，请修改后再发。"),
    429: ("操作太频繁", "发得有点快，请稍等一会儿再试。"),
    500: ("暂时没能处理", "刚才没能处理成功，您的内容没有丢，请稍后再试一次。"),
    503: ("暂时不可用", "服务正在准备中，请稍后再试。"),
}


def problem(
    status: int, *, title: str = "", detail: str = "", code: str = "", fields: Any = None, retry_after: int = 0
) -> Response:
    """A problem response."""
    words = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    body = {"type": "about:blank", "title": title or words[0], "detail": detail or words[1], "status": status}
    if code:
        body["code"] = code
    if fields:
        body["fields"] = fields
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def handle(app: APIFlask) -> None:
    """Registers the handlers."""

    @app.errorhandler(ZhikeError)
    def ours(error: ZhikeError) -> Response:
        retry_after = error.retry_after_seconds if isinstance(error, TooMany) else 0
        return problem(error.status, title=error.title, detail=error.detail, code=error.code, retry_after=retry_after)

    @app.error_processor
    def validation(error: HTTPError) -> Any:
        response = problem(error.status_code, fields=_fields(error))
        return response.get_data(as_text=True), error.status_code, {"Content-Type": "application/problem+json"}

    @app.errorhandler(RequestEntityTooLarge)
    def large(_error: RequestEntityTooLarge) -> Response:
        return problem(413)

    @app.errorhandler(TooManyRequests)
    def often(error: TooManyRequests) -> Response:
        from web.limits import seconds_left

        return problem(429, retry_after=seconds_left())

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> AnyResponse:
        if error.code is None or error.code < 400:  # a redirection
            return error.get_response(request.environ)
        response = problem(error.code)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.exception("a request failed: %s %s", request.method, request.url_rule)
        return problem(500)


def describe(spec: Any) -> Any:
    """The OpenAPI description with every refusal as what it is: a problem."""
    texts = {name: {"type": "string"} for name in ("type", "title", "detail", "code")}
    names = {"type": "array", "items": {"type": "string"}, "description": "which values were wrong"}
    problem_schema = {
        "type": "object",
        "required": ["type", "title", "detail", "status"],
        "properties": {**texts, "status": {"type": "integer"}, "fields": names},
    }
    spec.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problem_schema
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in spec.get("paths", {}).values():
        for operation in methods.values():
            for status, told in operation.get("responses", {}).items() if isinstance(operation, dict) else ():
                if str(status) >= "400":
                    told["content"] = content
    return spec


def _fields(error: HTTPError) -> Any:
    where = error.detail if isinstance(error.detail, dict) else {}  # {"json": {"text": ["…"]}}
    return [name for names in where.values() if isinstance(names, dict) for name in names] or None
