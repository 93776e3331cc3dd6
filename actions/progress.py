"""How tickets, complaints, after-sales cases, repairs and visits stand."""

import re
from typing import Any

from actions.lookup import Answer
from actions.talk import Button, Talk, button
from helpdesk.progress import usecases as progress
from helpdesk.progress.usecases import About, Entry

NUMBER = re.compile(r"(?<![A-Za-z0-9])(GD|WX|AS)\s?(\d{10})(?!\d)", re.I)
SHOWN_MOST = 5
WORDS = {
    About.COMPLAINT: re.compile(r"投诉|反映|反馈|赔"),
    About.REPAIR: re.compile(r"修|配件|检测|返厂|主板"),
    About.VISIT: re.compile(r"安装|装|上门|师傅"),
    About.CASE: re.compile(r"退货|换货|售后|补发|寄回|验收|凭证"),
}

LABELS = {About.COMPLAINT: "投诉", About.REPAIR: "维修", About.VISIT: "上门安装", About.CASE: "退换货"}


class QueryServiceProgress(Answer):
    """What is under way for the customer, and what comes next."""

    intent = "query_service_progress"
    needs_customer = True

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """By number when one is named; else all that is open (of the kind that is asked about)."""
        assert talk.access is not None
        named = NUMBER.search(talk.text)
        if named:
            entry = progress.by_number(talk.session, talk.access, "".join(named.groups()), talk.now)
            if entry is None:
                talk.voice.say(
                    f"在您名下没有找到 {named.group().upper()}，可能抄错了一位。要不要看看您全部在办的事？",
                    [button("查全部进度", "/query_service_progress"), "转人工"],
                )
                return None
            self._tell(talk, [entry])
            return None
        found = progress.overview(talk.session, talk.access, talk.now)
        asked = [kind for kind, words in WORDS.items() if words.search(talk.text) and not talk.is_command]
        fitting = [e for e in found if e.about in asked]
        if asked and found and not fitting:
            talk.voice.say(f"没有查到您的{'、'.join(LABELS[kind] for kind in asked)}记录，我把在办的事都列给您。")
        found = fitting or found
        if not found:
            more = "" if talk.access.whole else "（您现在核实的是这一笔订单，投诉和工单要在商城登录后才能看。）"
            talk.voice.say(
                f"您名下没有正在处理的工单、售后或维修。{more}如果之前反映过的事没下文，告诉我是什么事，我马上登记跟进。",
                [button("我要报修", "/request_repair"), button("我要投诉", "/complaint"), "转人工"],
            )
            return None
        self._tell(talk, found)
        return None

    def _tell(self, talk: Talk, found: list[Entry]) -> None:
        shown = found[:SHOWN_MOST]
        several = len(shown) > 1
        running = any(e.open for e in shown)
        lead = [f"您有 {len(found)} 件事在办：" if running else "没有在办的事了，最近办完的是："] if several else []
        if several and len(found) > SHOWN_MOST:
            lead = [f"您有 {len(found)} 件事在办，先列最早的 {SHOWN_MOST} 件："]
        lines = [f"{f'{n}. ' if several else ''}{in_words(e)}" for n, e in enumerate(shown, 1)]
        late = any(e.late for e in shown)
        if late:
            lines.append("超时的这件很抱歉让您等，点“转人工”，我请同事现在就接着跟您说。")
        talk.voice.say("\n".join([*lead, *lines]), _ways(shown))


def in_words(entry: Entry) -> str:
    """An entry in one line: what, how it stands, what comes next."""
    number = f"（{entry.number}）" if entry.number else ""
    late = "已经超过答应您的时间了。" if entry.late else ""
    state = entry.state.rstrip("。")
    return f"{entry.title}{number}——{state}。{late}{entry.following}"


def _ways(shown: list[Entry]) -> list[Button | str]:
    ways: list[Button | str] = []
    if any(e.open and (e.about == About.VISIT or (e.about == About.REPAIR and "师傅" in e.following)) for e in shown):
        ways.append(button("改上门时间", "/reschedule_visit"))
    if any(e.open and e.about == About.CASE for e in shown):
        ways.append(button("查退款进度", "/query_refund"))
    return [*ways, "转人工"]
