"""Before buying: offers and prices, stock, what a product can do, which to buy. Open to everybody."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actions import knowledge as told_knowledge
from actions.cards import Card, product_card
from actions.form import Form, interrupts, register
from actions.lookup import Answer
from actions.talk import Button, Talk, button
from core.clock import told
from core.text import yuan
from crm.catalogue import usecases as catalogue
from crm.catalogue.models import Product
from crm.catalogue.rules import (
    Budget,
    accessory,
    amounts_in,
    asked_specs,
    budget,
    named_colors,
    reasons,
    unknown_thing,
)
from crm.loyalty import usecases as loyalty
from knowledge_base import usecases as knowledge

POPULAR = ("手机", "冰箱", "洗衣机", "空调", "扫地机器人", "耳机")
SHOWN = 3


def shown_as_cards(products: Sequence[Product], lead: str, points: Sequence[Sequence[str]] = ()) -> Card:
    """Products side by side; the plain text holds the points too, for channels without cards."""
    _, card = product_card(products, lead, points)
    lines = [f"· {p['name']} {yuan(p['price_cents'])}：{'；'.join(p['points'])}" for p in card["products"]]
    return "\n".join([lead, *lines]), card


MODEL = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,3}[0-9]{1,4}(?![A-Za-z0-9])")
UNIT = re.compile(
    r"[0-9.]+\s*((?!小时|分钟|个月)[\u4e00-\u9fff]{2,}|[A-Za-z]{2,}|[升寸瓦转斤米])"
)  # spans: 保修几个月 is no detail


def of_model(text: str, found: Sequence[Product], of_kind: Sequence[Product]) -> list[Product]:
    """What is meant where a model stands beside the name (扫地机T3): that one of its kind, if there is one."""
    models = {m.upper() for m in MODEL.findall(text)}

    def fits(product: Product) -> bool:
        return not models.isdisjoint(m.upper() for m in MODEL.findall(product.name))

    if any(map(fits, found)):
        return list(found)
    return [p for p in of_kind if fits(p)] or list(found)


def measured_in(text: str, specs: Mapping[str, str]) -> dict[str, str]:
    """The details whose unit a question names: 多少流明 asks for 1200流明, whatever the detail is called."""
    said = text.lower()

    def asked(unit: str) -> bool:
        u = re.escape(unit.lower())
        return re.search(rf"(?:多少|几)\s*{u}|{u}(?:是?多少|够不够|够吗|高不高|高吗)", said) is not None

    return {k: v for k, v in specs.items() if any(map(asked, UNIT.findall(str(v))))}


class AboutProducts(Answer):
    """A question about a product, a class of products, or (when none is named) the product talked about last."""

    def found(self, talk: Talk) -> tuple[str, list[Product]]:
        """What was named and the products it means. Without a name: the product the talk is about, if any."""
        named = [e for e in talk.tracker.latest_message.get("entities") or [] if e.get("entity") == "product"]
        if named:
            last = named[-1]
            extra = accessory(talk.text[last.get("end") or len(talk.text) :])
            if extra and not talk.is_command:
                return f"{talk.text[last['start'] : last['end']]}{extra}", []
            means = catalogue.named(talk.session, str(last["value"]))
            if means and not talk.is_command and MODEL.search(talk.text):
                means = of_model(talk.text, means, catalogue.named(talk.session, means[0].kind))
            return str(last["value"]), means
        unknown = unknown_thing(talk.text)
        if unknown:
            return unknown, catalogue.named(talk.session, unknown)
        kept = talk.slots.get("focus_product")
        return (str(kept), catalogue.named(talk.session, str(kept))) if kept else ("", [])

    def focus(self, found: Sequence[Product]) -> dict[str, Any] | None:
        """Keeps what the talk is about now."""
        if not found:
            return None
        return {"focus_product": found[0].kind if len(found) > 1 else found[0].name}

    def not_sold(self, talk: Talk, said: str) -> None:
        """Says that the shop has no such thing."""
        talk.voice.say(
            f"不好意思，“{said}”我们店里没有卖。我们主要做家电、手机电脑和智能设备，您看看需要哪一类？",
            kinds_offered("/product_recommend"),
        )


def kinds_offered(command: str) -> list[Button | str]:
    """Buttons with the classes most asked for."""
    return [button(kind, f'{command}{{"product": "{kind}"}}') for kind in POPULAR]


BARGAIN = re.compile(
    r"便[宜易谊]|少点|能少|少[0-9一二两三四五六七八九十百]|优惠点|抹零|抹个零|凑个?整|最低|砍价|讲价|还价|降点|降价?吗|打[个点]?折|送点|卖不卖|行不行|给个价|别家|老客"
)
SALE = re.compile(r"双十一|双11|双十二|双12|618|六一八|黑五|年货节|大促|国庆|过几天|等.{0,6}(?:活动|节)|会不会再")


class QueryPromotion(AboutProducts):
    """Offers and prices of what was named; to bargaining an honest no, and what does save money."""

    intent = "query_promotion"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """By what was named and how it was asked."""
        said, found = self.found(talk)
        if said and not found:
            self.not_sold(talk, said)
            return None
        one = found[0] if len(found) == 1 else None
        if BARGAIN.search(talk.text) and not SALE.search(talk.text):
            self._no_bargain(talk, one)
        elif one is not None:
            talk.voice.card(*shown_as_cards([one], self._price(one), [self._points(one)]))
        elif found:
            shown = sorted(found, key=lambda p: (not catalogue.pieces(p), not p.promotion, p.price_cents))[:SHOWN]
            prices = (
                f"{yuan(found[0].price_cents)}–{yuan(found[-1].price_cents)}"
                if len(found) > 1
                else yuan(found[0].price_cents)
            )
            talk.voice.card(
                *shown_as_cards(shown, f"{found[0].kind}现在的价格是 {prices}：", [self._points(p) for p in shown])
            )
        else:
            promoted = catalogue.promoted(talk.session)
            if promoted:
                talk.voice.card(*shown_as_cards(promoted, "现在有这些活动：", [self._points(p) for p in promoted]))
            else:
                talk.voice.say(
                    "现在没有进行中的单品活动，优惠券和积分照常能用。", [button("查优惠券", "/query_coupon")]
                )
        if SALE.search(talk.text):
            talk.voice.say(
                "大促的价格要等页面公布，我不敢先说。不过您不用纠结：买完 7 天内降价（银卡 15 天、金卡以上 30 天），"
                "差价退给您；618 和双十一期间下单，所有会员都保价 30 天（秒杀、清仓除外）。",
                [button("查优惠券", "/query_coupon")],
            )
        return self.focus(found)

    def _price(self, product: Product) -> str:
        lead = f"{product.name}现在 {yuan(product.price_cents)}"
        if product.flash_sale:
            return f"{lead}，是限时秒杀价，不能叠加优惠券，售完恢复原价。"
        if product.promotion:
            return f"{lead}，正在做活动：{product.promotion}。"
        return f"{lead}，暂时没有单品活动，优惠券和积分可以用，买后降价有价格保护。"

    def _points(self, product: Product) -> list[str]:
        if product.flash_sale:
            return ["限时秒杀，不叠加券"]
        return [product.promotion] if product.promotion else [f"{k} {v}" for k, v in list(product.specs.items())[:2]]

    def _no_bargain(self, talk: Talk, product: Product | None) -> None:
        subject = f"{product.name}现在 {yuan(product.price_cents)}，" if product else ""
        parts = [f"{subject}价格对每位客人都一样，我这边改不了，跟您说实话。能省的办法有："]
        if product is not None and product.flash_sale:
            parts.append("· 这款已经是秒杀价，不能再用券")
        else:
            parts.append(self._coupon(talk, product))
        if product is not None and product.promotion and not product.flash_sale:
            parts.append(f"· 现在的活动：{product.promotion}")
        parts.append("· 积分 100 分抵 1 元，最多抵订单的 30%")
        if product is None or not product.flash_sale:
            parts.append("· 买完 7 天内降价退差价（银卡 15 天，金卡以上 30 天）")
        parts.append("一次买 10 件以上或满 2 万元，可以由销售经理来谈企业价。")
        talk.voice.say(
            "\n".join(parts), [button("查优惠券", "/query_coupon"), button("企业采购", "/enterprise_purchase")]
        )

    def _coupon(self, talk: Talk, product: Product | None) -> str:
        if talk.access is None or not talk.access.whole:
            return "· 优惠券：登录或核实后我帮您看有没有能用的"
        good = [h for h in loyalty.coupons(talk.session, talk.access, talk.now) if h.usable]
        fitting = [h for h in good if product is None or loyalty.why_not(h, product) is None]
        if not fitting:
            return "· 您名下现在没有适用的优惠券"
        best = max(fitting, key=lambda h: h.coupon.value_cents).coupon
        after = f"，券后 {yuan(max(0, product.price_cents - best.value_cents))}" if product else ""
        return (
            f"· 您有一张“{best.name}”，"
            f"能减 {yuan(best.value_cents)}{after}（{told(best.valid_to, with_time=False)} 前有效）"
        )


class QueryStock(AboutProducts):
    """What can be bought now, by colour, and when more comes."""

    intent = "query_stock"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """One product by colour, a class by product."""
        said, found = self.found(talk)
        if said and not found:
            self.not_sold(talk, said)
        elif not found:
            talk.voice.say(
                "想问哪一款有没有货？把商品名或型号发给我，例如“X20 云杉绿有货吗”。", kinds_offered("/query_stock")
            )
        elif len(found) > 1:
            self._class(talk, found)
        else:
            self._one(talk, found[0])
        return self.focus(found)

    def _class(self, talk: Talk, found: Sequence[Product]) -> None:
        there = [p for p in found if catalogue.pieces(p)]
        gone = [p for p in found if not catalogue.pieces(p)]
        if not there:
            dates = [s.restock_at for p in gone for s in p.stock if s.restock_at]
            when = f"最早 {told(min(dates), with_time=False)} 到货" if dates else "到货时间还没定"
            talk.voice.card(*shown_as_cards(gone[:SHOWN], f"{found[0].kind}这会儿都卖完了，{when}。"))
            return
        missing = f"（{'、'.join(p.name for p in gone)}暂时缺货）" if gone else ""
        talk.voice.card(
            *shown_as_cards(
                there[:SHOWN],
                f"{found[0].kind}有 {len(there)} 款现货{missing}：",
                [self._colors(p) for p in there[:SHOWN]],
            )
        )

    def _colors(self, product: Product) -> list[str]:
        return [f"{s.color} {'有货' if s.quantity else '缺货'}" for s in product.stock[:3]]

    def _one(self, talk: Talk, product: Product) -> None:
        wanted = named_colors(talk.text, product.colors)
        rows = [s for s in product.stock if not wanted or s.color in wanted]
        pieces = int(talk.entity("quantity") or 1)
        lines, enough = [], False
        for s in rows:
            name = "" if s.color == "默认" else f"{s.color}："
            if s.quantity >= pieces:
                enough = True
                lines.append(f"· {name}有货" + (f"，只剩 {s.quantity} 件" if s.quantity <= 5 else ""))
            elif s.quantity:
                lines.append(f"· {name}只剩 {s.quantity} 件，不够 {pieces} 件")
            else:
                when = (
                    f"预计 {told(s.restock_at, with_time=False)} 到货"
                    if s.restock_at
                    else "到货时间还没定，暂时不敢跟您保证"
                )
                lines.append(f"· {name}缺货，{when}")
        other = [s.color for s in product.stock if s.quantity >= pieces and s not in rows]
        tail = "库存付款后才锁定，喜欢就早点下单；16:00 前付款当天发货。" if enough else ""
        if not enough and other:
            tail = f"{'、'.join(other)}有货，可以考虑。"
        talk.voice.say(
            f"{product.name}（{yuan(product.price_cents)}）\n" + "\n".join(lines) + (f"\n{tail}" if tail else "")
        )
        if not enough and not other:
            instead = catalogue.others_in_stock(talk.session, product)
            if instead:
                talk.voice.card(*shown_as_cards(instead, f"着急用的话，这些{product.kind}有现货："))


HOW = re.compile(r"怎么|如何|咋|步骤|教程|设置|连接|安装方法|清洗|清洁|保养")


class ProductConsult(AboutProducts):
    """What a product can do, and how it is used: the specification, or the knowledge base – or honestly not."""

    intent = "product_consult"

    def answer(self, talk: Talk) -> dict[str, Any] | None:
        """The detail asked for first; the whole specification as points."""
        said, found = self.found(talk)
        named = bool(talk.entities("product"))
        one = self._meant(talk.text, found)
        if named and not found:
            self.not_sold(talk, said)
            return None
        details = {**asked_specs(talk.text, one.specs), **measured_in(talk.text, one.specs)} if one is not None else {}
        if one is not None and details and not HOW.search(talk.text):
            facts = "，".join(f"{k} {v}" for k, v in details.items())
            talk.voice.card(*shown_as_cards([one], f"{one.name}：{facts}。", [self._points(one)]))
            return self.focus(found)
        result = knowledge.search(talk.session, talk.text)
        if result.decision == "answer" and told_knowledge.tell(talk, result):
            return self.focus(found)
        if one is not None:
            self._honest(talk, one)
        elif found:
            shown = found[:SHOWN]
            talk.voice.card(
                *shown_as_cards(shown, f"{found[0].kind}有这几款，想了解哪一款？", [self._points(p) for p in shown])
            )
        elif not told_knowledge.tell(talk, result):
            talk.voice.say("想了解哪款商品？把名字或型号发给我，例如“X20 防水吗”。", kinds_offered("/product_consult"))
        return self.focus(found)

    def _meant(self, text: str, found: Sequence[Product]) -> Product | None:
        """The one product: the only one, or the only one of its class with the feature that is named."""
        if len(found) <= 1:
            return found[0] if found else None
        with_it = [p for p in found if any(len(w) >= 3 and w in text for v in p.specs.values() for w in str(v).split())]
        return with_it[0] if len(with_it) == 1 else None

    def _points(self, product: Product) -> list[str]:
        return [f"{k} {v}" for k, v in product.specs.items()]

    def _honest(self, talk: Talk, product: Product) -> None:
        if talk.is_command or re.search(r"参数|功能|介绍|配置|规格|怎么样|什么样", talk.text):
            text = f"{product.name}，{yuan(product.price_cents)}，主要参数在这里："
            talk.voice.card(*shown_as_cards([product], text, [self._points(product)]))
            return
        unsure = (
            f"{product.name}的具体操作步骤我手上没有，不想误导您，随机说明书里有，也可以请同事来教您。参数在这里："
            if HOW.search(talk.text)
            else f"这一点我手上的{product.name}资料里没有写，不敢随便说。已知的参数在这里，需要确切答复可以请同事确认："
        )
        talk.voice.card(*shown_as_cards([product], unsure, [self._points(product)]))
        talk.voice.say("要请同事来回答吗？", ["转人工"])


ANY = re.compile(r"随便|都行|都可以|不限|无所谓|不知道|没想好|你看着|看看")
COMPARE = re.compile(r"哪个|哪款|哪一款|还是|和|跟|对比|区别|纠结")


@register
class ProductRecommend(Form):
    """Two or three products that fit, with a short reason each; asks for the class when it is missing."""

    intent = "product_recommend"
    about = "account"
    anonymous = True
    confirmed = False
    details = ("wanted_kind", "wanted_budget")

    def needed(self, talk: Talk) -> Sequence[str]:
        """The budget helps but is not asked for."""
        return ("wanted_kind",)

    def read(self, talk: Talk, slot: str, asked: bool) -> Any:
        """The class (or the products to choose between), and the budget, wherever they are said."""
        if slot == "wanted_budget":
            amounts = [float(a) for a in talk.entities("amount")] or amounts_in(talk.text)
            read = budget(talk.text, amounts)
            return None if read is None else [read.least_cents, read.most_cents]
        named = list(dict.fromkeys(talk.entities("product")))
        if len(named) > 1 and COMPARE.search(talk.text):
            return "|".join(named)
        if named:
            return named[-1]
        if asked and not interrupts(talk):
            if ANY.search(talk.text):
                return "any"
            found = catalogue.named(talk.session, talk.text)
            if found:
                return found[0].kind
            unsure = talk.intent in {"nlu_fallback", "inform", self.intent}
            bare = unsure and 2 <= len(talk.text) <= 8 and not re.search(r"\d|[千百万]", talk.text)
            return talk.text if bare else None
        kept = talk.slots.get("focus_product")
        return (
            kept if not asked and kept and talk.slots.get("wanted_kind") is None and COMPARE.search(talk.text) else None
        )

    def ask(self, talk: Talk, slot: str) -> None:
        """Which class."""
        kinds = catalogue.kinds(talk.session)
        popular = [k for k in POPULAR if k in kinds] or kinds[:6]
        known = talk.slots.get("wanted_budget")
        lead = "预算记下了，想看哪一类？" if known else "好的，想看哪一类？有预算也告诉我，比如“两千左右的手机”。"
        talk.voice.say(lead, popular)

    def do(self, talk: Talk) -> dict[str, Any]:
        """The products side by side."""
        wanted = str(talk.slots["wanted_kind"])
        span = talk.slots.get("wanted_budget")
        limit = Budget(*span) if span else None
        if "|" in wanted:
            both = [p for said in wanted.split("|") for p in catalogue.named(talk.session, said)[:1]]
            if len({p.id for p in both}) > 1:
                return self._compare(both[:SHOWN])
        named = [] if wanted == "any" else catalogue.named(talk.session, wanted)
        if wanted != "any" and not named:
            return {
                "text": f"不好意思，“{wanted}”我们店里没有卖。我们主要做家电、手机电脑和智能设备，您看看需要哪一类？",
                "ways": kinds_offered("/product_recommend"),
            }
        kind = named[0].kind if named else None
        chosen, fits = catalogue.advise(talk.session, kind, limit, talk.entity("brand"))
        if not chosen:
            return {"text": "这一类暂时没有可以推荐的，换一类看看？", "ways": kinds_offered("/product_recommend")}
        label = kind or "好物"
        if limit is not None and not fits:
            lead = f"这个预算内暂时没有{label}，不想硬推。最接近的是这{'款' if len(chosen) == 1 else '几款'}："
        elif limit is not None:
            lead = f"按您的预算，这{'款' if len(chosen) == 1 else f' {len(chosen)} 款'}{label}最合适："
        else:
            lead = f"给您挑了{'这款' if len(chosen) == 1 else f' {len(chosen)} 款'}{label}，有预算告诉我还能挑得更准："
        return self._advice(chosen, lead, limit)

    def _advice(self, chosen: Sequence[Product], lead: str, limit: Budget | None) -> dict[str, Any]:
        offers = [catalogue.offer(p) for p in chosen]
        text, card = shown_as_cards(chosen, lead, [reasons(o, limit, offers) for o in offers])
        return {"text": text, "card": card}

    def _compare(self, both: Sequence[Product]) -> dict[str, Any]:
        cheap, dear = min(both, key=lambda p: p.price_cents), max(both, key=lambda p: p.price_cents)
        more = [f"{k} {v}" for k, v in dear.specs.items() if str(cheap.specs.get(k)) != str(v)][:2]
        gain = f"，多在{'、'.join(more)}" if more else ""
        lead = (
            f"{dear.name}贵 {yuan(dear.price_cents - cheap.price_cents)}{gain}。"
            f"日常够用、想省钱选{cheap.name}；用得多、想一步到位选{dear.name}："
        )
        if cheap.kind != dear.kind:
            lead = "这几款用途不太一样，主要参数放在一起给您看："
        text, card = shown_as_cards(both, lead, [[f"{k} {v}" for k, v in p.specs.items()][:3] for p in both])
        return {"text": text, "card": card}
