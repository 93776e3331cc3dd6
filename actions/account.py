"""The account: getting in, own details, own data, no more messages."""

import re
from typing import Any, ClassVar

from rasa_sdk.events import EventType, FollowupAction, SlotSet

from actions.form import Form, interrupts, register
from actions.lookup import Answer
from actions.talk import Button, Talk, button
from core.clock import told
from core.errors import Refusal, ZhikeError
from core.text import mask_phone
from crm.customers import access as access_rules
from crm.customers import usecases as customers
from crm.customers.rules import CLOSING_AFTER, COPY_WITHIN, FIELDS, birthday_in
from helpdesk.tickets import usecases as tickets
from helpdesk.tickets.rules import TicketKind

HUMAN = button("转人工", "/request_human")

PROBLEMS: dict[str, re.Pattern[str]] = {
    "stolen": re.compile(r"被盗|盗号|别人登|有人登|异地|不是我(?:操作|登|下)|陌生(?:设备|登录)"),
    "locked": re.compile(r"锁|冻结|封(?:号|了|禁)|风控|异常|限制登录"),
    "code_expired": re.compile(r"验证码.{0,12}(?:失效|过期|无效|错误|不对)"),
    "code": re.compile(r"验证码|收不到码|没(?:有)?码|短信码"),
    "number_gone": re.compile(r"(?:手机|号码?|卡).{0,6}(?:不用了|停机|注销|丢了|换了|没了)"),
    "password": re.compile(r"密码|忘记|忘了"),
    "app": re.compile(r"闪退|转圈|没反应|打不开|白屏|卡住|加载|网络"),
}
STEPS = {
    "password": "密码忘了可以自己重设：登录页点“忘记密码”→ 填绑定的手机号 → 收验证码 → 设一个新密码，一两分钟就好。"
    "新密码别用生日和手机尾号。绑定的号码收不到码的话，点转人工，核实身份后帮您换绑。",
    "code": "验证码收不到，按这几步试：\n1. 看看号码有没有输错、手机有没有欠费\n2. 翻一下垃圾短信和拦截记录\n"
    "3. 开关一次飞行模式，等一分钟再点发送\n4. 别连续点，只有最新一条有效；提示太频繁就过一小时再试\n还是没有，"
    "转人工帮您看发送记录。",
    "code_expired": "验证码有时效，而且只有最新一条有效：回到登录页重新获取一次，别连续点，收到后马上填。"
    "还提示失效的话，退出重开再试一次；仍然不行，转人工帮您看。",
    "number_gone": "绑定的号码不用了，就收不到验证码。请点转人工，同事用订单信息核实是您本人后，"
    "帮您换绑成新号码，换好马上能登录。",
    "app": "多半是手机上的缓存或网络的问题，按这几步试：\n1. 退出重开，切换一下 Wi-Fi 和流量\n2. 更新到最新版，"
    "或清一下缓存\n"
    "3. 用手机浏览器打开商城登录\n还不行，把提示的文字或截图发过来，我请同事看。",
    "stolen": "先做三件事：1. 马上用“忘记密码”改登录密码；2. 看看订单和收货地址有没有陌生的；"
    "3. 到支付应用里改支付密码。"
    "有不是您下的单，把订单号发给我，没发货的马上能取消；有钱款损失请报警，并点转人工。",
    "locked": "账号锁定多半是密码连续输错，或登录的设备、地点变化太大。可以用“忘记密码”重设一次，设好后一般就能登录。",
    "other": "登录不上，先看是哪一种，点一下我告诉您怎么办：",
}


class AccountProblem(Answer):
    """Step by step, by what is wrong. A locked account is looked up and becomes a ticket."""

    intent = "account_problem"
    needs_customer = True

    def _verify_first(self, talk: Talk, form: str | None) -> list[EventType]:
        if self._problem(talk) != "locked":
            self._steps(talk)
            return [FollowupAction(form)] if form else []
        talk.voice.say(STEPS["locked"] + "要我看看账号的状态、登记解锁，得先核实一下。")
        return [SlotSet("account_issue", "locked"), *super()._verify_first(talk, form)]

    def _problem(self, talk: Talk) -> str:
        kept = talk.slots.get("account_issue")
        named = next((name for name, words in PROBLEMS.items() if words.search(talk.text)), None)
        return named or (str(kept) if kept else "other")

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """A locked account: a ticket, once. Otherwise the steps."""
        assert talk.access is not None
        problem = self._problem(talk)
        if talk.access.whole and talk.access.customer.locked:
            self._unlock(talk)
        elif problem == "locked":
            access_rules.need_whole(talk.access)
            talk.voice.say(
                "我看了一下，您的账号现在没有被锁，状态正常。" + STEPS["password"],
                [button("收不到验证码", "/account_problem"), HUMAN],
            )
        else:
            self._steps(talk)
        return {"account_issue": None}

    def _steps(self, talk: Talk) -> None:
        problem = self._problem(talk)
        if problem == "other":
            talk.voice.say(STEPS["other"], ["忘记密码了", "收不到验证码", "账号被锁了", HUMAN])
        else:
            talk.voice.say(STEPS[problem], [HUMAN])

    def _unlock(self, talk: Talk) -> None:
        assert talk.access is not None
        customer = talk.access.customer
        known = tickets.open_one(talk.session, customer.id, TicketKind.ACCOUNT)
        ticket = known or tickets.open_ticket(
            talk.session,
            talk.now,
            kind=TicketKind.ACCOUNT,
            subject="账号锁定，申请解锁",
            detail=talk.text if not talk.is_command else "",
            conversation=talk.conversation,
            customer_id=customer.id,
            urgent=True,
        )
        lead = "您的账号确实锁上了，解锁之前已经登记过，" if known else "您的账号确实锁上了，我已登记解锁，"
        talk.voice.say(
            f"{lead}工单 {ticket.number}，同事会打 {mask_phone(customer.phone)} 核实身份后解开，"
            f"最晚 {told(ticket.due_at)} 前办好。不是您自己输错密码的话，解开后请马上改密码。",
            [button("查处理进度", "/query_service_progress"), HUMAN],
        )


class OwnAccount(Form):
    """A change to the account itself: only for who is signed in; others are told so at once, not quizzed."""

    about = "account"
    anonymous = True  # the check below says why not; the usual verification would not be enough anyway
    what: ClassVar[str] = "改动账户资料"

    def check(self, talk: Talk) -> None:
        """Raises Refusal unless signed in."""
        if talk.access is None:
            raise Refusal(
                f"为了您的账户安全，{self.what}需要先在商城登录，登录后在“我的客服”里找我，马上就能办。"
                f"登录不了就告诉我，或转人工核实。",
                code="sign_in",
                way_on=("登录不了", "转人工"),
            )
        access_rules.need_signed_in(talk.access)

    def next_slot(self, talk: Talk) -> str | None:
        """Nothing is asked of who may not do it."""
        try:
            self.check(talk)
        except ZhikeError:
            return None
        return self._next_detail(talk)


ASKED_FIELDS = {
    "birthday": r"生日|出生",
    "email": r"邮箱|邮件|email",
    "address": r"地址",
    "nickname": r"昵称|用户名|网名|账号名|会员名",
    "name": r"姓名|真名|名字",
    "phone": r"手机|号码|电话|绑定的?号|换号|新号",
}
ELSEWHERE = {
    "密码": "登录密码要您自己设：登录页点“忘记密码”，收验证码后设新的；支付密码在支付应用里改。"
    "密码不要发给任何人，包括客服。",
    "头像": "头像在“我的 → 个人资料”里点一下就能换；传不上去多半是图片太大，换张 5MB 以内的试试。",
    "性别": "性别在“我的 → 个人资料”里可以直接改，改完立刻生效。",
    "实名": "实名信息关系到账户安全，要由同事核实身份后处理，我帮您转过去就行。",
}


@register
class UpdateProfile(OwnAccount):
    """Own details: which, the new value, confirmed, changed at once."""

    intent = "update_profile"
    details = ("profile_field", "profile_value")

    def check(self, talk: Talk) -> None:
        """Raises Refusal for what cannot be changed here, or not to this value."""
        field = talk.slots.get("profile_field")
        if field in ELSEWHERE:
            raise Refusal(ELSEWHERE[field], code="elsewhere", way_on=("转人工",))
        super().check(talk)
        if field in FIELDS:
            assert talk.access is not None
            customers.check_update(talk.session, talk.access, field, talk.slots.get("profile_value"), talk.now)

    def next_slot(self, talk: Talk) -> str | None:
        """A value that cannot be right is asked for again, with the reason."""
        try:
            self.check(talk)
        except Refusal as refusal:
            if not refusal.code.startswith("bad_"):
                return None
            talk.voice.say(refusal.detail)
            talk.slots["profile_value"] = None
            return "profile_value"
        return self._next_detail(talk)

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """The field by its name (or by what the value is), the value in any form it comes."""
        if talk.is_command:
            return None
        known = talk.slots.get("profile_field")
        field = self._other(talk, known) or known or self._field(talk)
        if slot == "profile_field":
            return field
        return self._value(talk, str(field), asked) if field in FIELDS else None

    def filled(self, talk: Talk) -> dict[str, Any]:
        """Another field means another value, and a new yes."""
        got = super().filled(talk)
        if "profile_field" in got and talk.slots.get("profile_field"):
            got = {"profile_value": None, **got, "confirm": None}
        return got

    def _other(self, talk: Talk, known: Any) -> str | None:
        """A field named afresh while another one is being changed (``改手机号`` when the nickname was asked for)."""
        if known is None or not (talk.text in FIELDS.values() or re.match(r"(?:我?[想要]*)?(?:改|换|修改)", talk.text)):
            return None
        named = self._field(talk)
        return named if named != known else None

    def _field(self, talk: Talk) -> str | None:
        for word in ELSEWHERE:
            if word in talk.text:
                return word
        for field, words in ASKED_FIELDS.items():
            if re.search(words, talk.text):
                return field
        if talk.entity("email"):
            return "email"
        return "phone" if len(talk.entity("phone_number") or "") == 11 else None

    def _value(self, talk: Talk, field: str, asked: bool) -> str | None:
        match field:
            case "phone":
                phone = talk.entity("phone_number") or ""
                digits = re.sub(r"\D", "", talk.text) if asked else ""
                return phone if len(phone) == 11 else digits if len(digits) >= 3 else None
            case "birthday":
                said = birthday_in(talk.text)
                return said or (
                    talk.text if asked and re.search(r"\d|月", talk.text) and not interrupts(talk) else None
                )
            case "email":
                found = re.search(r"[\w.+-]+@[\w.-]+", talk.text, re.A)
                typed = talk.text.strip()  # letters and digits only: meant as an address, however wrong
                return found[0] if found else typed if asked and re.fullmatch(r"[\x21-\x7e]+", typed) else None
            case "address" if len(talk.entity("address") or "") >= 6:
                return talk.entity("address")
            case "name" if talk.entity("person_name"):
                return talk.entity("person_name")
        named = re.search(r"(?:改成|改为|换成|改叫|设成|叫做)[：: “\"]*([^，。,\"”\s]{2,40})", talk.text)
        if named:
            return named[1].rstrip("吧呢啊了")
        return talk.text.strip(' “”"') if asked and not interrupts(talk) else None

    def ask(self, talk: Talk, slot: str) -> None:
        """The questions."""
        if slot == "profile_field":
            talk.voice.say("想改哪一项？", list(FIELDS.values()))
            return
        field = talk.slots["profile_field"]
        talk.voice.say(
            {
                "phone": "新的手机号是多少？（11 位）",
                "birthday": "您的生日是哪天？请写上年月日，例如“1990年4月2日”。",
                "email": "新的邮箱是？",
                "address": "新的默认地址是？请写到门牌号，例如“杭州市西湖区文三路100号2幢301室”。",
                "nickname": "想改成什么昵称？（2–20 个字）",
                "name": "正确的姓名是？",
            }[field]
        )

    def preview(self, talk: Talk) -> str:
        """Old and new."""
        field, value = talk.slots["profile_field"], str(talk.slots["profile_value"])
        more = {
            "phone": "改好后用新号码登录、收通知；已下订单里的收货电话不会跟着变。",
            "address": "以后下单默认寄到这里；已下的订单不受影响。",
            "birthday": "金卡及以上会员的生日券按这个日期发。",
        }.get(field, "")
        return f"{FIELDS[field]}改为“{_in_words(field, value)}”。{more}确认修改吗？"

    def do(self, talk: Talk) -> dict[str, Any]:
        """Changed at once."""
        assert talk.access is not None
        field = talk.slots["profile_field"]
        value = customers.update(talk.session, talk.access, field, str(talk.slots["profile_value"]), talk.now)
        if field == "phone":
            return {
                "text": f"改好了，账号现在绑定 {mask_phone(value)}，从现在起用它登录和收通知，这次改动已留记录。"
                "还有在路上的包裹的话，记得把收货电话也改一下。",
                "ways": [button("改收货电话", "/change_address"), button("继续改资料", "/update_profile")],
            }
        return {
            "text": f"改好了，{FIELDS[field]}现在是“{_in_words(field, value)}”，马上生效。",
            "ways": [button("继续改资料", "/update_profile")],
        }


def _in_words(field: str, value: str) -> str:
    """A value as the customer reads it: dates of birth as ``1990年4月2日``."""
    if field != "birthday":
        return value
    year, month, day = value.split("-")
    return f"{year}年{int(month)}月{int(day)}日"


PRIVACY: dict[str, re.Pattern[str]] = {
    "keep": re.compile(
        r"不(?:想|要|用)?(?:注销|销户|销号)了?|(?:撤[回销]|取消|后悔).{0,6}(?:注销|销户)|注销.{0,4}(?:撤[回销]|后悔|取消)"
    ),
    "scam": re.compile(r"骗|冒充|泄[露漏]|卖(?:了|给|我)|资料怎么出去"),
    "source": re.compile(
        r"怎么(?:会)?(?:知道|有)|哪[来里儿].{0,4}(?:的|得到)|谁.{0,8}给你?们?|为(?:什么|啥)(?:会)?有我|哪来"
    ),
    "copy": re.compile(
        r"副本|导出|下载.{0,6}(?:数据|信息|资料)|一份|(?:收集|存|留|记)了.{0,4}(?:我)?.{0,2}(?:哪些|什么|啥)|我的数据"
    ),
    "correct": re.compile(r"更正|改正|(?:信息|资料).{0,4}(?:不对|错)|更新.{0,4}(?:信息|资料)"),
    "close": re.compile(
        r"[注住主]销|销户|销号|删号|(?:账|帐)号(?:不用|不要)|(?:删|清).{0,10}(?:信息|资料|数据|账号|帐号|记录)|(?:信息|资料|数据|账号|记录).{0,6}(?:删|清)"
    ),
}
TOLD = {
    "scam": "接到自称我们客服、让您转账、点链接、下软件或共享屏幕的，都是骗子，请直接挂断；我们的退款只会原路退回。"
    "已经转了钱请马上拨 110。您的资料只给办这笔订单的快递和上门师傅用，从不出售；怀疑泄露的话，把时间和经过告诉我，"
    "我登记投诉去查，24 小时内有人答复您。",
    "source": "您的号码只来自您自己注册、下单时的填写，或别人下单时把您填成收货人；我们不买、也不卖个人信息。"
    "电话只用在配送、上门和您找我们的时候。想看我们留了您哪些资料，可以要一份副本；不想再接推广，我马上帮您退订。",
    "correct": "资料写错了当场就能改，点下面告诉我改哪一项就行（在商城登录后办理）。",
}


NEXT: dict[str, list[Button | str]] = {
    "scam": [button("登记投诉", "/complaint"), HUMAN],
    "source": ["要一份信息副本", button("退订推广", "/unsubscribe"), HUMAN],
    "correct": [button("改个人资料", "/update_profile"), HUMAN],
}
CLOSING = "注销账号"


@register
class PrivacyRequest(OwnAccount):
    """Own data: a copy, a correction, the account closed, where a number came from."""

    intent = "privacy_request"
    details = ("privacy_kind",)
    what = "涉及个人信息的申请"

    def check(self, talk: Talk) -> None:
        """Raises Refusal while it cannot be done. Questions are answered to everybody."""
        kind = talk.slots.get("privacy_kind")
        if kind is None or kind in TOLD:
            return
        super().check(talk)
        assert talk.access is not None
        if kind == "close":
            customers.check_close(talk.session, talk.access)
        elif kind == "copy":
            customers.check_copy(talk.session, talk.access, talk.now)

    def next_slot(self, talk: Talk) -> str | None:
        """Only what changes something is confirmed."""
        return None if talk.slots.get("privacy_kind") in {*TOLD, "keep"} else super().next_slot(talk)

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """By its words."""
        return next((kind for kind, words in PRIVACY.items() if words.search(talk.text)), None)

    def ask(self, talk: Talk, slot: str) -> None:
        """Which of them."""
        talk.voice.say(
            "关于您的个人信息，想办哪一样？", ["要一份信息副本", "更正资料", "注销账号", "你们怎么知道我的电话"]
        )

    def preview(self, talk: Talk) -> str:
        """What will happen, and when."""
        assert talk.access is not None
        customer = talk.access.customer
        if talk.slots["privacy_kind"] == "copy":
            return (
                f"会为您准备一份个人信息副本（账号资料、地址、订单记录），"
                f"最晚 {told(talk.now + COPY_WITHIN, with_time=False)} 前"
                f"{self._where(talk)}。确认申请吗？"
            )
        return (
            f"要注销的是 {mask_phone(customer.phone)} 的账号："
            f"{customer.points:,} 积分、优惠券和会员等级都会清空，不能恢复，"
            f"要留的电子发票请先存好。有 7 天考虑期，{told(talk.now + CLOSING_AFTER)} 正式注销，"
            f"之前说“不注销了”随时撤回。确认注销吗？"
        )

    def _where(self, talk: Talk) -> str:
        email = talk.access.customer.email if talk.access else None
        if not email:
            return "由同事联系您确认接收方式后发给您"
        name, _, host = email.partition("@")
        return f"发到您的邮箱 {name[:2]}***@{host}"

    def do(self, talk: Talk) -> dict[str, Any]:
        """Registered (with a ticket), or told."""
        kind = talk.slots["privacy_kind"]
        if kind in TOLD:
            return {"text": TOLD[kind], "ways": NEXT[kind]}
        assert talk.access is not None
        if kind == "keep":
            customers.keep(talk.session, talk.access, talk.now)
            ticket = tickets.open_one(talk.session, talk.access.customer.id, TicketKind.PRIVACY)
            if ticket is not None and ticket.subject == CLOSING:
                tickets.solve(ticket, talk.now, "您撤回了注销")
            return {"text": "撤回好了，账号不注销了，积分、优惠券和等级都照旧。"}
        subject, due = (
            (CLOSING, customers.close(talk.session, talk.access, talk.now))
            if kind == "close"
            else ("个人信息副本", customers.ask_copy(talk.session, talk.access, talk.now))
        )
        ticket = tickets.open_ticket(
            talk.session, talk.now, kind=TicketKind.PRIVACY, subject=subject, conversation=talk.conversation
        )
        ticket.due_at = due
        if kind == "copy":
            return {
                "text": f"申请登记好了，工单 {ticket.number}，"
                f"最晚 {told(due, with_time=False)} 前{self._where(talk)}，想知道进度随时问我。",
                "ways": [button("查处理进度", "/query_service_progress")],
            }
        return {
            "text": f"注销登记好了，工单 {ticket.number}。{told(due)} 正式生效，这之前账号照常能用；"
            f"改主意了跟我说“不注销了”就行。",
            "ways": ["不注销了"],
        }


@register
class Unsubscribe(Form):
    """No more commercial messages: ends at once, nothing to confirm – it must be as easy as that."""

    intent = "unsubscribe"
    about = "account"
    confirmed = False

    def speak(self, talk: Talk, slot: str) -> None:
        """A stranger hears the quick way first."""
        if slot == "order_number" and talk.access is None:
            talk.voice.say(
                "可以的。最快的办法：收到的短信直接回复“退订”，马上就停。想让我在这里帮您关掉，先核实一下："
                "请把一个订单号发给我（15 位数字）。",
                [HUMAN],
            )
        else:
            super().speak(talk, slot)

    def do(self, talk: Talk) -> dict[str, Any]:
        """Ended, or ended before."""
        assert talk.access is not None
        if customers.unsubscribe(talk.session, talk.access, talk.now):
            return {
                "text": "已经帮您退订了，从现在起不再给您发推广短信、邮件和推送，也不打推销电话。"
                "发货、上门、退款这些和订单有关的通知会照常发，免得误事。",
            }
        return {
            "text": "您之前已经退订过了，推广消息是关着的。如果还收到，把短信内容或来电号码发给我，"
            "我请同事去查是谁发的；"
            "发货、退款这类订单通知不在退订范围里。",
            "ways": [button("登记投诉", "/complaint"), HUMAN],
        }
