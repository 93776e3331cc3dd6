"""What a member holds: coupons, points, the level. The rule is for anybody, the figures for the proved account."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from rasa_sdk.events import EventType, FollowupAction

from actions.lookup import Answer
from actions.talk import Talk, button
from core.clock import told
from core.text import yuan
from crm.catalogue import usecases as catalogue
from crm.loyalty import usecases as loyalty
from crm.loyalty.rules import BENEFITS, LEVEL_FROM_CENTS, CouponState, Level
from crm.loyalty.usecases import Held, Membership

OWN = re.compile(r"我(?!想|们|要怎)|查|余额|还有多少|还剩|到账|入账|没了|不见|找不到|少了|清零|降级|掉级|差多少")
SHOWN = 5


class Holding(Answer):
    """A look-up of the account. A stranger's general question gets the rule and the offer to verify, not a wall."""

    needs_customer = True
    offer: ClassVar[str]

    def rule(self, talk: Talk) -> None:
        """Tells the rule, with the button that verifies and looks up."""
        raise NotImplementedError

    def own(self) -> list[dict[str, str] | str]:
        """The button that asks for the own figures (and verifies on the way)."""
        return [button(self.offer, f"/{self.intent}"), "转人工"]

    def _verify_first(self, talk: Talk, form: str | None) -> list[EventType]:
        if talk.is_command or OWN.search(talk.text):
            return super()._verify_first(talk, form)
        self.rule(talk)
        return [FollowupAction(form)] if form else []


class QueryCoupon(Holding):
    """Coupons: which are good, which end soon, and why one cannot be used."""

    intent = "query_coupon"
    offer = "查我的优惠券"
    doubt: ClassVar = re.compile(
        r"用不了|不能用|没法用|不可用|无效|不了|勾不上|不显示|不满足|灰|失效|过期|不存在|为什么|为啥|咋没"
    )

    def rule(self, talk: Talk) -> None:
        """How coupons work."""
        talk.voice.say(
            "券在结算页会自动显示，一单用一张，秒杀商品不能用，门槛按减完其他优惠后的金额算。"
            "用不了多半是没到门槛、过期了，或者券限定了别的品类。想看您名下的券，核实一下我马上查。",
            self.own(),
        )

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """The good ones first; what cannot be used with the reason."""
        assert talk.access is not None
        held = loyalty.coupons(talk.session, talk.access, talk.now)
        good = [h for h in held if h.usable]
        rest = [h for h in held if not h.usable]
        parts = [self._good(good)] if good else ["您名下现在没有能用的优惠券。有新活动时会放在商品页，领到就能用。"]
        wanted = next(iter(catalogue.named(talk.session, talk.entity("product") or "")), None)
        if wanted is not None and good:
            parts.append(self._for(good, wanted))
        if rest and (self.doubt.search(talk.text) or not good):
            parts.append("不能用的：\n" + "\n".join(self._reason(h) for h in rest[:SHOWN]))
        if good and self.doubt.search(talk.text):
            parts.append(
                "能用的券如果结算时没显示，多半是金额没到门槛、买的是秒杀商品，或这单已经选了另一张（一单一张）。"
            )
        talk.voice.say("\n".join(parts), [button("看看优惠活动", "/query_promotion"), "转人工"])
        return None

    def _good(self, good: Sequence[Held]) -> str:
        lines = [f"您有 {len(good)} 张能用的券："]
        for h in good[:SHOWN]:
            c = h.coupon
            least = f"满 {yuan(c.threshold_cents)}可用" if c.threshold_cents else "没有门槛"
            kinds = f"，限{'、'.join(c.kinds)}" if c.kinds else ""
            soon = "，快到期了" if h.state == CouponState.SOON else ""
            lines.append(f"· {c.name} 减 {yuan(c.value_cents)}，{least}{kinds}，{told(c.valid_to)} 前有效{soon}")
        if len(good) > SHOWN:
            lines.append(f"还有 {len(good) - SHOWN} 张，可在“我的优惠券”里看。")
        lines.append("结算时选上就行，一单用一张。")
        return "\n".join(lines)

    def _for(self, good: Sequence[Held], product: Any) -> str:
        fitting = [h for h in good if loyalty.why_not(h, product) is None]
        if fitting:
            best = max(fitting, key=lambda h: h.coupon.value_cents).coupon
            pays = max(0, product.price_cents - best.value_cents)
            return f"买{product.name}（{yuan(product.price_cents)}）可以用“{best.name}”，券后 {yuan(pays)}。"
        return f"买{product.name}暂时用不上：{loyalty.why_not(good[0], product)}。"

    def _reason(self, held: Held) -> str:
        when = {
            CouponState.USED: held.coupon.used_at,
            CouponState.EXPIRED: held.coupon.valid_to,
            CouponState.LATER: held.coupon.valid_from,
        }[held.state]
        day = f"（{told(when, with_time=False)}）" if when else ""
        return f"· {held.coupon.name}：{loyalty.why_not(held)}{day}"


class QueryPoints(Holding):
    """Points: how many, what they are worth, what comes and what goes."""

    intent = "query_points"
    offer = "查我的积分"

    def rule(self, talk: Talk) -> None:
        """How points work."""
        talk.voice.say(
            "每消费 1 元积 1 分（金卡 1.2 分，铂金 1.5 分），签收满 7 天入账；100 分抵 1 元，结算时勾选，"
            "最多抵订单的 30%，有效期到第二年年底。想看您自己的积分，核实一下我马上查。",
            self.own(),
        )

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """The balance, its worth, the newest movements."""
        assert talk.access is not None
        purse = loyalty.points(talk.session, talk.access, talk.now)
        parts = [f"您现在有 {purse.balance:,} 积分，能抵 {yuan(purse.worth_cents)}。"]
        if purse.coming and purse.coming_at:
            parts.append(
                f"另有约 {purse.coming:,} 分待入账，最晚 {told(purse.coming_at, with_time=False)} 到（签收满 7 天）。"
            )
        if purse.expiring:
            parts.append(f"其中 {purse.expiring:,} 分 {told(purse.expiring_at, with_time=False)} 到期，记得先用掉。")
        if purse.recent:
            parts.append("最近的变动：")
            for e in purse.recent:
                order = f"（订单尾号 {e.order_number[-4:]}）" if e.order_number else ""
                parts.append(f"· {told(e.at, with_time=False)} {e.amount:+,} {e.reason}{order}")
        parts.append("付款时勾选“使用积分”就能抵，100 分抵 1 元，最多抵订单金额的 30%。")
        talk.voice.say(
            "\n".join(parts), [button("查会员等级", "/query_membership"), button("查优惠券", "/query_coupon")]
        )
        return None


class QueryMembership(Holding):
    """The level, its benefits, and what is missing for the next."""

    intent = "query_membership"
    offer = "查我的等级"

    def rule(self, talk: Talk) -> None:
        """The level asked about, or all of them."""
        named = [level for level in Level if level.label[:2] in talk.text]
        levels = named or [level for level in Level if level != Level.NORMAL]
        lines = [
            f"· {level.label}（近 12 个月满 {yuan(LEVEL_FROM_CENTS[level])}）：{'、'.join(BENEFITS[level])}"
            for level in levels
        ]
        talk.voice.say(
            "会员等级看最近 12 个月的消费：\n"
            + "\n".join(lines)
            + "\n升级后保持一年，到期重新核定。想知道您是哪一级，核实一下就能查。",
            self.own(),
        )

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """Level, benefits, the way up."""
        assert talk.access is not None
        found = loyalty.membership(talk.access)
        parts = [
            f"您现在是{found.level.label}，最近 12 个月消费 {yuan(found.spent_cents)}。",
            f"享有：{'、'.join(BENEFITS[found.level])}。",
        ]
        if found.following is None:
            parts.append("这已经是最高等级了，谢谢您一直的支持。")
        else:
            level, missing = self._asked(talk.text, found) or found.following
            new = [b for b in BENEFITS[level] if b not in BENEFITS[found.level]]
            more = f"升级后有：{'、'.join(new)}。"
            parts.append(
                f"再消费 {yuan(missing)} 就能升到{level.label}。{more}"
                if missing
                else f"您已够{level.label}的标准，会在下次核定时升上去。"
            )
        if re.search(r"降|掉|到期|过期|保级|多久|什么时候", talk.text):
            parts.append(
                "等级升上后保持一年，到期按那时最近 12 个月的消费重新核定，更早的不计入，所以有可能升降。"
                "觉得数额不对，可以让同事帮您复核。"
            )
        talk.voice.say(
            "\n".join(parts), [button("查积分", "/query_points"), button("查优惠券", "/query_coupon"), "转人工"]
        )
        return None

    def _asked(self, text: str, found: Membership) -> tuple[Level, int] | None:
        """A level named in the question that lies above the customer's, with the cents missing for it."""
        levels = list(Level)
        higher = [lv for lv in levels if lv.label[:2] in text and levels.index(lv) > levels.index(found.level)]
        return (higher[0], max(0, LEVEL_FROM_CENTS[higher[0]] - found.spent_cents)) if higher else None
