"""Somebody in need comes before everything else: what to do now and a person's help, whatever was read or is open."""

from actions.talk import Talk, button
from helpdesk.conversations.rules import HandoverReason
from helpdesk.safety.rules import Danger, danger
from knowledge_base import usecases as knowledge

REMEMBERED_MESSAGES = 12  # the same advice is not repeated for so many of the customer's messages
OFFER = "人安全最要紧，要不要我马上请同事优先处理？"
LOCK_QUESTION = "智能门锁没电了，进不了门怎么办？"  # whose article says how the shop's locks open without power
ADVICE = {
    Danger.GAS: "请先保证安全，马上这样做：\n1. 关火，关掉燃气总阀，轻轻开窗\n2. 别开关任何电器和灯，别点火，别在屋里打电话\n"
    "3. 所有人离开，到屋外去\n4. 到屋外打燃气公司抢修电话；情况严重打 119，有人头晕恶心打 120\n没查清之前别再开阀用气。",
    Danger.SHOCK: "请先保证安全，马上这样做：\n1. 别再碰机器，手干着去拉总闸断电；够不到就让人都离远\n"
    "2. 有人被电到：先断电再扶人，不舒服马上就医，严重打 120\n3. 断电后别再用，老人孩子别靠近\n没查清之前别再通电。",
    Danger.FIRE: "请先保证安全，马上这样做：\n1. 够得到就拔插头或拉总闸断电，够不到别硬来\n"
    "2. 有明火或烟变大：人先离开，打 119，电器着火别用水泼\n3. 有人受伤先就医，严重打 120\n没查清之前别再通电、别再用。",
    Danger.BATTERY: "请先保证安全，马上这样做：\n1. 马上停用，拔掉充电线，别再充电、开机\n2. 别按、别戳、别拆，也先别寄出\n"
    "3. 放到通风、远离可燃物的空地，人离远一点\n4. 冒烟或起火人先离开，打 119；有人受伤先就医",
    Danger.BODY: "请先照顾好身体，马上这样做：\n1. 马上停用，别再接触\n2. 过敏、红肿：用清水冲洗，别抓；烫伤：流动凉水冲 15 分钟；"
    "划伤：干净纱布压住止血\n3. 喘不上气、脸和嘴唇肿、伤口深或面积大：马上打 120；没好转就去看医生，病历和票据留好\n"
    "4. 商品和包装先留着，方便时拍张照片",
    Danger.LOCKED_OUT: "在门外别急，先站到安全的地方。有孩子、老人单独在里面，或灶上开着火，直接打 119。",
}
STILL = "请先按上面说的做，人离远一点，别再碰它。"
STILL_OF = {
    Danger.BODY: "请先照顾好身体，不舒服就去医院，别硬扛。",
    Danger.LOCKED_OUT: "还打不开的话别硬撬、别爬窗。",
}


def pressing(talk: Talk) -> bool:
    """Whether the message tells of a danger for which the advice was not given lately: nothing else is answered then."""
    return (kind := _told(talk)) is not None and kind not in _advised(talk)


def advise(talk: Talk) -> None:
    """Says what to do now and offers a person."""
    kind = _told(talk)
    assert kind is not None
    advice = f"{ADVICE[kind]}\n{_unlocking(talk)}" if kind == Danger.LOCKED_OUT else ADVICE[kind]
    ways = ["我要退货"] if kind == Danger.BODY else []
    talk.voice.say(f"{advice.rstrip()}\n{OFFER}", [button("转人工", "/request_human"), *ways])


def _unlocking(talk: Talk) -> str:
    """How a lock is opened without power: the beginning of the knowledge base's article, if there is one."""
    result = knowledge.search(talk.session, LOCK_QUESTION)
    if result.decision != "answer":
        return ""
    return "门锁没电或没反应：" + knowledge.plain(result.hits[0].answer).partition("\n")[0]


def stands_outside(talk: Talk) -> bool:
    """Whether somebody locked out says so again instead of answering an open form: no form may go on then (a day for
    the repair is of no use). What is wrong with the lock is an answer, though."""
    told = _told(talk) == Danger.LOCKED_OUT and goes_on(talk)
    return told and talk.slots.get("requested_slot") != "fault"


def goes_on(talk: Talk) -> bool:
    """Whether the message tells once more of a danger for which the advice was given: a person takes over."""
    return _told(talk) is not None and not pressing(talk)


def hand_over(talk: Talk) -> None:
    """To a person, ahead of others."""
    kind = _told(talk)
    assert kind is not None
    talk.voice.say(f"{STILL_OF.get(kind, STILL)}这件事我马上请同事优先接手。")
    talk.voice.hand_over(HandoverReason.DANGER)


def reason(talk: Talk) -> HandoverReason:
    """Why a talk goes to a person that the customer asks for."""
    return HandoverReason.DANGER if _told(talk) or _advised(talk) else HandoverReason.REQUESTED


def _told(talk: Talk) -> Danger | None:
    if talk.is_command:
        return None
    # outside is also where somebody went for the gas: only without another danger it means the lock
    before = "" if _advised(talk) - {Danger.LOCKED_OUT} else "\n".join(_lately(talk, "user", "bot"))
    return danger(talk.text, before)


def _advised(talk: Talk) -> set[Danger]:
    said = _lately(talk, "bot")
    return {kind for kind, advice in ADVICE.items() if any(text.startswith(advice) for text in said)}


def _lately(talk: Talk, *who: str) -> list[str]:
    """What was said lately, oldest first."""
    said: list[str] = []
    messages = 0
    for event in reversed(talk.tracker.events):
        messages += event.get("event") == "user"
        if messages > REMEMBERED_MESSAGES:
            break
        if event.get("event") in who:
            said.append(str(event.get("text")))
    return said[::-1]
