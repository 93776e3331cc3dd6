"""The stand-in for WeChat tells the truth: who tests against it would otherwise learn something wrong."""

import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

pytest.importorskip("cryptography", reason="the WeChat channel's libraries are not installed")
from channels.wechat_sim import Chances, How, Mode, Outcome, Platform, new_aes_key
from channels.wechat_sim.crypto import Cipherer, NotOurs, signature
from channels.wechat_sim.tokens import FORCED_A_DAY
from tests.wechat.account import Answer, Api, Call, Callback, served

APP_ID, TOKEN, KEY = "wx1234567890abcdef", "zhike-token", new_aes_key()
OPENID = "oLi_000000000000000000000001"
FAULT = "该公众号提供的服务出现故障，请稍后再试"


class Time:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        """So long."""
        self.seconds += seconds


@pytest.fixture
def callback() -> Callback:
    return Callback()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def platform(callback: Callback, time: Time) -> Iterator[Callable[..., Platform]]:
    """Starts stand-ins that deliver to the callback."""
    with ExitStack() as stack:
        url = stack.enter_context(served(callback))

        def start(mode: str = Mode.PLAIN, **given: Any) -> Platform:
            given = {"clock": time, **given}
            return stack.enter_context(Platform(url, APP_ID, TOKEN, KEY, mode, **given))

        yield start


def passive(text: str, to: str = OPENID, account: str = "gh_zhikestandin") -> str:
    """A passive text answer."""
    return (
        f"<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[{account}]]></FromUserName>"
        f"<CreateTime>1800000000</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{text}]]></Content></xml>"
    )


# Deliveries


def test_a_message_without_an_answer_in_time_is_delivered_three_times_with_one_number(platform, callback):
    over = threading.Event()

    def too_late(_call: Call, _number: int) -> Answer:
        over.wait(5)
        return 200, passive("晚了")

    callback.answer = too_late
    user = platform(redeliver_seconds=0.4).user(OPENID)
    delivery = user.sends("在吗").wait()
    over.set()
    assert (delivery.tries, delivery.outcome) == (3, Outcome.GIVEN_UP)
    assert {ET.fromstring(call.body).findtext("MsgId") for call in callback.calls} == {delivery.msg_id}
    assert len(callback.calls) == 3
    assert [line.text for line in user.received] == [FAULT]


def test_nothing_is_delivered_again_once_it_was_answered(platform, callback):
    callback.answer = lambda _call, number: (503, "") if number == 1 else (200, passive("您好"))
    user = platform(redeliver_seconds=1.5).user(OPENID)
    assert user.sends("在吗").wait().tries == 2
    assert user.sends("还在吗").wait().tries == 1
    assert [(line.how, line.text) for line in user.received] == [(How.PASSIVE, "您好")] * 2


def test_an_empty_answer_and_success_show_the_user_nothing(platform, callback):
    callback.answer = lambda _call, number: (200, "" if number == 1 else "success")
    user = platform().user(OPENID)
    assert [user.sends(text).wait().outcome for text in ("一", "二")] == [Outcome.EMPTY] * 2
    assert user.received == []


@pytest.mark.parametrize(
    "answer",
    [
        '{"errcode": 0}',
        "<html>",
        passive("给别人的", to="oSomebodyElse"),
        passive("别的公众号", account="gh_other"),
        passive("长" * 700),
        passive("您好").replace("text", "transfer_to_nobody"),
        '<!DOCTYPE x [<!ENTITY a "b">]>' + passive("&a;"),
    ],
    ids=["json", "html", "openid", "account", "length", "kind", "entity"],
)
def test_an_invalid_answer_shows_the_user_an_error_text(platform, callback, answer):
    callback.answer = lambda _call, _number: (200, answer)
    user = platform().user(OPENID)
    assert user.sends("在吗").wait().outcome == Outcome.INVALID
    assert user.texts == [FAULT]


def test_the_messages_of_one_user_come_in_order_while_another_does_not_wait_for_them(platform, callback):
    first_may_end = threading.Event()

    def answer(call: Call, _number: int) -> Answer:
        if "慢的" in call.body:
            first_may_end.wait(10)
        return 200, "success"

    callback.answer = answer
    made = platform(redeliver_seconds=10)
    for n in range(3):
        last = made.user(OPENID).sends(f"慢的{n}")
    made.user("oOther").sends("快的").wait()
    assert sum("慢的" in call.body for call in callback.calls) <= 1
    first_may_end.set()
    last.wait()
    said = [ET.fromstring(call.body).findtext("Content") for call in callback.calls]
    assert [text for text in said if text != "快的"] == ["慢的0", "慢的1", "慢的2"]


def test_a_dropped_connection_is_no_answer_whether_or_not_the_account_has_read_the_message(platform, callback):
    callback.answer = lambda _call, _number: (200, passive("您好"))
    made = platform(chances=Chances(seed=7, drop=1.0), redeliver_seconds=0.1)
    for n in range(6):
        assert made.user(OPENID).sends(f"第{n}条").wait().outcome == Outcome.GIVEN_UP
    assert 0 < len(callback.calls) < 18


def test_a_repeated_message_gets_one_passive_answer_only(platform, callback):
    callback.answer = lambda _call, number: (200, passive(f"第{number}次"))
    made = platform(chances=Chances(repeat=1.0, repeat_seconds=0.05))
    user = made.user(OPENID)
    user.sends("在吗").wait()
    callback.wait_for(2)
    user.sends("在吗").wait()
    callback.wait_for(4)
    assert len(user.received) == 2


def test_two_events_of_one_user_never_share_the_second_by_which_they_are_told_apart(platform, callback):
    user = platform().user(OPENID)
    for key in ("A", "B", "C"):
        user.clicks(key).wait()
    seconds = [ET.fromstring(call.body).findtext("CreateTime") for call in callback.calls]
    assert len(set(seconds)) == 3
    assert all(ET.fromstring(call.body).find("MsgId") is None for call in callback.calls)


# Signatures and encryption


@pytest.mark.parametrize("mode", list(Mode))
def test_what_is_delivered_is_signed_as_documented_in_every_mode(platform, callback, mode):
    platform(mode).user(OPENID).sends("你好").wait()
    call = callback.calls[0]
    signed = signature(TOKEN, call.query["timestamp"], call.query["nonce"])
    assert call.query["signature"] == signed
    root = ET.fromstring(call.body)
    assert (root.findtext("Content") is None) == (mode is Mode.SAFE)
    assert (root.findtext("Encrypt") is None) == (mode is Mode.PLAIN)


@pytest.mark.parametrize("mode", [Mode.COMPATIBLE, Mode.SAFE])
def test_wechatpy_opens_what_the_stand_in_encrypts_and_the_other_way_round(platform, callback, mode):
    crypto = pytest.importorskip("wechatpy.crypto").WeChatCrypto(TOKEN, KEY, APP_ID)
    read: list[str] = []

    def answer(call: Call, _number: int) -> Answer:
        query = call.query
        read.append(crypto.decrypt_message(call.body, query["msg_signature"], query["timestamp"], query["nonce"]))
        return 200, crypto.encrypt_message(passive("收到😀"), query["nonce"], query["timestamp"])

    callback.answer = answer
    user = platform(mode).user(OPENID)
    for length in (1, 31, 32, 33, 600):
        user.sends("测😀" * length).wait()
        assert ET.fromstring(read[-1]).findtext("Content") == "测😀" * length
    assert user.texts == ["收到😀"] * 5


def test_in_safe_mode_a_plain_answer_and_one_with_a_wrong_signature_are_refused(platform, callback):
    def answer(_call: Call, number: int) -> Answer:
        sealed = Cipherer(APP_ID, KEY).encrypt(passive("您好"))
        signed = signature(TOKEN, "1", "nonce", sealed if number == 2 else "other")
        xml = f"<Encrypt>{sealed}</Encrypt><MsgSignature>{signed}</MsgSignature>"
        whole = f"<xml>{xml}<TimeStamp>1</TimeStamp><Nonce>nonce</Nonce></xml>"
        return 200, passive("您好") if number == 1 else whole

    callback.answer = answer
    user = platform(Mode.SAFE).user(OPENID)
    assert [user.sends("在吗").wait().outcome for _ in range(3)] == ["invalid", "passive", "invalid"]


def test_another_accounts_cipher_and_a_changed_letter_are_not_opened():
    sealed = Cipherer(APP_ID, KEY).encrypt("你好")
    for other in (Cipherer("wxother", KEY), Cipherer(APP_ID, new_aes_key())):
        with pytest.raises(NotOurs):
            other.decrypt(sealed)
    with pytest.raises(NotOurs):
        Cipherer(APP_ID, KEY).decrypt("A" + sealed[1:-4])
    assert Cipherer(APP_ID, KEY).decrypt(sealed) == "你好"


def test_the_console_verifies_the_address_by_an_echo(platform):
    assert platform().verify()


# Counting


def test_after_a_message_five_sends_go_out_within_48_hours(platform, time):
    made = platform()
    api, user = Api(made), made.user(OPENID)
    assert api.sends(OPENID) == 45015
    user.sends("你好").wait()
    assert [api.sends(OPENID) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    user.sends("在吗").wait()
    assert user.sends_left == 5
    time.passes(48 * 3600 - 1)
    api = Api(made)  # the token has long ended
    assert api.sends(OPENID) == 0
    time.passes(1)
    assert api.sends(OPENID) == 45015
    assert made.sends_refused == 3
    assert len(user.received) == 6


def test_a_click_a_scan_or_a_follow_give_three_sends_within_a_minute_and_add_up_to_nothing_more(platform, time):
    made = platform()
    api, user = Api(made), made.user(OPENID)
    for act in (lambda: user.clicks("ORDERS"), lambda: user.scans("shop"), user.follows):
        act().wait()
        assert user.sends_left == 3
        assert [api.sends(OPENID) for _ in range(4)] == [0, 0, 0, 45047]
        time.passes(60)
        assert api.sends(OPENID) == 45015
    user.sends("你好").wait()
    user.clicks("ORDERS").wait()
    assert user.sends_left == 5
    assert [api.sends(OPENID) for _ in range(3)] == [0, 0, 0]
    time.passes(60)
    assert user.sends_left == 2


def test_opening_a_page_by_the_menu_gives_nothing_and_who_has_left_gets_nothing(platform):
    made = platform()
    api, user = Api(made), made.user(OPENID)
    user.views("https://shop.example/").wait()
    assert api.sends(OPENID) == 45015
    user.sends("你好").wait()
    user.leaves().wait()
    assert api.sends(OPENID) == 45015
    assert api.http.get("/user/info", params={"access_token": api.token, "openid": OPENID}).json()["subscribe"] == 0


def test_passive_answers_are_not_counted(platform, callback):
    callback.answer = lambda _call, _number: (200, passive("您好"))
    user = platform().user(OPENID)
    user.sends("你好").wait()
    assert user.sends_left == 5


# Tokens and errors


def test_an_ordinary_call_keeps_the_token_until_five_minutes_before_its_end(platform, time):
    made = platform()
    api = Api(made)
    first = api.token
    assert api.asks_for_a_token() == {"access_token": first, "expires_in": 7200}
    time.passes(7200 - 301)
    assert api.asks_for_a_token() == {"access_token": first, "expires_in": 301}
    time.passes(1)
    assert api.asks_for_a_token()["access_token"] != first
    assert api.sends(OPENID) == 40003, "the old one is still good: it is the user who is unknown"
    time.passes(300)
    assert api.sends(OPENID) == 42001
    assert (made.tokens.issued, len(made.refreshes)) == (2, 4)


def test_a_forced_refresh_rotates_30_seconds_apart_and_20_times_a_day(platform, time):
    made = platform()
    api = Api(made)
    tokens = [api.token]
    for _ in range(FORCED_A_DAY):
        time.passes(30)
        tokens.append(api.asks_for_a_token(force_refresh=True)["access_token"])
    assert len(set(tokens)) == FORCED_A_DAY + 1
    assert api.sends(OPENID) == 40001, "the earlier token is gone"
    time.passes(29)
    assert api.asks_for_a_token(force_refresh=True)["access_token"] == tokens[-1]
    time.passes(1)
    assert api.asks_for_a_token(force_refresh=True)["errcode"] == 45009
    time.passes(86_400)
    assert "access_token" in api.asks_for_a_token(force_refresh=True)


def test_tokens_can_be_ended_before_their_time(platform):
    made = platform()
    api = Api(made)
    made.expire_tokens()
    assert api.sends(OPENID) == 42001
    api.token = api.asks_for_a_token()["access_token"]
    assert api.sends(OPENID) == 40003


def test_a_wrong_secret_gets_no_token(platform):
    assert Api(platform()).asks_for_a_token(secret="wrong")["errcode"] == 40125


@pytest.mark.parametrize("errcode", [-1, 40001, 42001, 45009, 45015, 45047, 48001])
def test_every_errcode_comes_on_demand_as_often_as_ordered(platform, errcode):
    made = platform()
    api = Api(made)
    made.user(OPENID).sends("你好").wait()
    made.fail(errcode, 2)
    assert [api.sends(OPENID) for _ in range(3)] == [errcode, errcode, 0]
    assert made.sends_refused == 0


def test_wrong_contents_are_refused_with_the_platforms_codes(platform):
    made = platform()
    api = Api(made)
    made.user(OPENID).sends("你好").wait()
    assert api.sends(OPENID, "长" * 683) == 45002
    assert api.sends(OPENID, "长" * 682) == 0
    for content, errcode in (
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "image", "image": {"media_id": "nope"}}, 40007),
        ({"msgtype": "news", "news": {"articles": [{"title": "一"}, {"title": "二"}]}}, 45008),
        ({"msgtype": "sticker", "sticker": {}}, 40008),
    ):
        assert api.post("message/custom/send", {"touser": OPENID, **content})["errcode"] == errcode
    assert made.user(OPENID).sends_left == 4


def test_letters_written_as_escapes_are_shown_as_they_stand(platform):
    made = platform()
    api, user = Api(made), made.user(OPENID)
    user.sends("你好").wait()
    body = json.dumps({"touser": OPENID, "msgtype": "text", "text": {"content": "你\n好"}})
    api.http.post("/message/custom/send", params={"access_token": api.token}, content=body).raise_for_status()
    assert user.texts == ["\\u4f60\n\\u597d"]


def test_a_picture_goes_both_ways(platform, callback):
    made = platform()
    api, user = Api(made), made.user(OPENID, unionid="u1")
    user.sends_image(b"picture", "image/png").wait()
    media_id = ET.fromstring(callback.calls[0].body).findtext("MediaId")
    got = api.http.get("/media/get", params={"access_token": api.token, "media_id": media_id})
    assert (got.content, got.headers["Content-Type"]) == (b"picture", "image/png")
    sent = api.http.post(
        "/media/upload",
        params={"access_token": api.token, "type": "image"},
        files={"media": ("a.png", b"ours", "image/png")},
    ).json()
    body = {"touser": OPENID, "msgtype": "image", "image": {"media_id": sent["media_id"]}}
    assert api.post("message/custom/send", body)["errcode"] == 0
    assert made.media(user.received[0].media_id) == (b"ours", "image/png")
    assert api.http.get("/user/info", params={"access_token": api.token, "openid": OPENID}).json()["unionid"] == "u1"


def test_an_answer_of_the_api_can_be_lost_before_and_after_the_deed(platform):
    made = platform()
    api, user = Api(made), made.user(OPENID)
    user.sends("你好").wait()
    for chance, gone_out in ((Chances(drop=1.0), 0), (Chances(unheard=1.0), 1)):
        made.chances.drop, made.chances.unheard = chance.drop, chance.unheard
        with pytest.raises(httpx.TransportError):
            api.sends(OPENID)
        assert len(user.received) == gone_out
    assert [openid for openid, _ in made.unheard] == [OPENID]


# The page


def test_the_page_shows_what_was_said_and_how_it_came(platform, callback):
    callback.answer = lambda _call, _number: (200, passive("您好"))
    made = platform()
    api, user = Api(made), made.user(OPENID, name="小微")
    user.sends("在吗").wait()
    api.sends(OPENID, "还在")
    with httpx.Client(base_url=made.base, trust_env=False) as http:
        shown = http.get(f"/sim/users/{OPENID}").json()
        assert http.get("/").headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert [(line["how"], line["text"]) for line in shown["lines"]] == [
        ("own", "在吗"),
        ("passive", "您好"),
        ("api", "还在"),
    ]
    assert (shown["sends_left"], shown["window_seconds"], shown["bound"]) == (4, 48 * 3600, "")


def test_another_sites_page_cannot_speak_for_a_user(platform):
    made = platform()
    made.user(OPENID)
    with httpx.Client(base_url=made.base, trust_env=False) as http:
        path = f"/sim/users/{OPENID}/text"
        assert http.post(path, json={"text": "好"}, headers={"Origin": "https://evil.example"}).status_code == 403
        assert http.get("/sim/users", headers={"Host": "evil.example"}).status_code == 403
        assert http.post(path, data={"text": "好"}).status_code == 415
    assert made.user(OPENID).lines == []
