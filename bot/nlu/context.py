"""Reads a message again in the light of the talk: what the bot asked, the open form, the last topic.

About three in ten real messages say nothing without the turns before them. The classifier reads the words; this shifts
its ranking by what the talk makes likely, the more the less the words say by themselves. Rules as pure functions; the
serving channel puts the context into the message's metadata (bot/serving/channel.py), ``zhike nlu parse`` has none.
"""

import math
import re
from typing import Any, Dict, List, NamedTuple, Optional, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.views import masked_text


class Context(NamedTuple):
    """``topic``: the last request's intent; ``form``: the intent of the open form; ``asked``: the slot in question."""

    topic: Optional[Text] = None
    form: Optional[Text] = None
    asked: Optional[Text] = None


# After these topics a "when?", "where?" or "how?" without a subject means this.
WHEN = {
    "query_order": "track_logistics",
    "track_logistics": "track_logistics",
    "urge_shipping": "track_logistics",
    "change_address": "track_logistics",
    "cancel_order": "query_refund",
    "return_goods": "query_refund",
    "query_refund": "query_refund",
    "price_protection": "query_refund",
    "report_not_received": "query_service_progress",
    "exchange_goods": "query_service_progress",
    "report_item_problem": "query_service_progress",
    "request_repair": "query_service_progress",
    "complaint": "query_service_progress",
    "query_service_progress": "query_service_progress",
    "book_installation": "book_installation",
    "reschedule_visit": "book_installation",
    "request_invoice": "request_invoice",
    "query_stock": "query_stock",
}
AFTERWARDS = {"query_refund", "query_service_progress"}
FILLER = "[那就哦嗯啊呃额好的吧还有然后请问但是可是所以]*"
TAIL = "(?:[呢啊呀吗嘛么了的吧哦?？!！。.]|谢谢)*"
SUBJECT = "(?:它|这个|那个|这边|你们|您|大概|一般|具体|最快|到底)*"
WHEN_FRAGMENT = re.compile(
    f"{FILLER}{SUBJECT}(?:什么时候|啥时候|啥时|多久|多长时间|几天|哪天|几号|几点|要多久|要几天)"
    f"(?:能|可以|会|才|才能|才会)?(?:到|好|来|弄好|处理好|处理完|有结果|完成|下来|办好|有|给我?|行|收到|到账|开|退|发|送)?{TAIL}"
)
SAME_FRAGMENT = re.compile(
    f"{FILLER}(?:(?:这|那|另|另外|还有|上|下|前面|后面|刚才|第|其他|别的|剩下)+(?:的)?[一二两三四五六0-9]*"
    f"(?:个|单|件|款|台|笔|条|种|样|天|家)的?|(?:[ⓅⒷ№ⓆⒸⒹⓂ④③]的?)+(?:那个|这个|那单|那款|那件)?)"
    f"(?:呢|怎么样|怎样|咋样|行不行|行吗|可以吗|可以不)?{TAIL}"
)
HOW_FRAGMENT = re.compile(
    f"{FILLER}{SUBJECT}(?:怎么|如何|咋|怎样|在哪里?|在哪儿|哪里|去哪)(?:弄|办|办理|操作|申请|做|搞|整|点|看|填|改|查)?{TAIL}"
)
AGAIN_FRAGMENT = re.compile(f"{FILLER}(?:再)?(?:查|看|试|弄|办|来|问)(?:一下|下|看|看看|一次|一遍)?{TAIL}")
ABOUT_ORDERS = {
    "query_order",
    "track_logistics",
    "urge_shipping",
    "change_address",
    "cancel_order",
    "report_not_received",
    "report_item_problem",
    "return_goods",
    "exchange_goods",
    "query_refund",
    "request_repair",
    "query_warranty",
    "book_installation",
    "request_invoice",
    "price_protection",
}
ABOUT_PRODUCTS = {"query_promotion", "query_stock", "product_consult", "product_recommend"}
CORRECTION = (
    "(?:不对|不是(?:[这那][个单笔]?)?|错了|搞错了|我?[说发打输写]错了?|[我要]?说的?是|应该是|改成|换成|而?是|[,，。 ])*"
)
NUMBER_FRAGMENT = re.compile(
    f"{FILLER}{CORRECTION}{FILLER}(?:我的?|要|查|看|就|这个|那个|订单|单子?|号码?|尾号|尾数|末尾|后四位|[:：是为])*[№④]"
    f"(?:[那这的]|个|单|笔|订单)*(?:呢|怎么样)?{TAIL}"
)
NOT_THIS_FRAGMENT = re.compile(f"{FILLER}(?:我?[说问要]的)?不是[这那][个单笔件条](?:订单|快递|包裹|单子)?{TAIL}")
COST_FRAGMENT = re.compile(
    f"{FILLER}{SUBJECT}(?:(?:还?要|需要|会|用)?(?:不要|不)?(?:另外|额外)?[收付花给扣]?我?(?:多少)?(?:钱|费用?)[吗么不啊]*|要多少钱|多少钱|怎么收费|"
    f"贵吗|贵不贵|免费[吗么]?|是不是免费|(?:运费|费用|钱|邮费)?谁(?:来)?[出付](?:运费|邮费|钱|费用)?){TAIL}"
)
ANSWERS = {"inform", "affirm", "deny"}
FRAGMENT_SURE = 0.75  # confidence of a fragment that the topic explains
TOPIC_SHARE = 0.9  # how much the last topic adds to its own and its followers' log-probability, at most
ASKED_SHARE = 1.2  # the same for answers while a question is open
CLEAR = 0.8  # a reading as sure as this needs no context
FOLLOWS = {
    "query_order": {"track_logistics", "urge_shipping", "change_address", "cancel_order"},
    "track_logistics": {"urge_shipping", "change_address", "report_not_received"},
    "urge_shipping": {"track_logistics", "cancel_order"},
    "change_address": {"track_logistics", "query_order"},
    "cancel_order": {"query_refund", "query_order"},
    "return_goods": {"query_refund", "query_service_progress", "exchange_goods"},
    "exchange_goods": {"query_service_progress", "return_goods"},
    "report_item_problem": {"return_goods", "exchange_goods"},
    "query_refund": {"query_service_progress"},
    "price_protection": {"query_refund"},
    "request_repair": {"query_service_progress", "reschedule_visit", "query_warranty"},
    "book_installation": {"reschedule_visit"},
    "query_stock": {"product_consult", "query_promotion"},
    "product_recommend": {"product_consult", "query_stock", "query_promotion"},
    "product_consult": {"query_stock", "query_promotion", "product_recommend"},
    "query_promotion": {"query_coupon", "query_stock"},
    "query_coupon": {"query_promotion"},
}


def meant(masked: Text, context: Context) -> Optional[Text]:
    """The intent of a fragment that says nothing alone, from the topic; None when the words must decide."""
    topic = context.form or context.topic
    if topic is None or not masked:
        return None
    if WHEN_FRAGMENT.fullmatch(masked):
        then = WHEN.get(topic)
        return "faq" if context.asked and then in AFTERWARDS else then  # nothing to look up before the form is done
    if context.asked is None and (SAME_FRAGMENT.fullmatch(masked) or AGAIN_FRAGMENT.fullmatch(masked)):
        return topic
    if HOW_FRAGMENT.fullmatch(masked):
        return topic if context.asked is None else "faq"  # in a form it is a question about the form's matter
    if COST_FRAGMENT.fullmatch(masked):
        return "query_promotion" if topic in ABOUT_PRODUCTS else "faq"
    names_order = NUMBER_FRAGMENT.fullmatch(masked) or NOT_THIS_FRAGMENT.fullmatch(masked)
    if context.asked is None and names_order and topic in ABOUT_ORDERS:
        return topic
    return None


def reread(ranking: List[Dict[Text, Any]], masked: Text, context: Context) -> List[Dict[Text, Any]]:
    """The ranking in the light of the context, its confidences a distribution again.

    ``masked``: the message's shaped text with entities masked (views.py).
    """
    if not ranking or context == Context():
        return ranking
    fragment = meant(masked, context)
    if fragment is not None:
        rest = [r for r in ranking if r["name"] != fragment]
        share = (1 - FRAGMENT_SURE) / max(sum(r["confidence"] for r in rest), 1e-9)
        shrunk = [{**r, "confidence": r["confidence"] * share} for r in rest]
        return [{"name": fragment, "confidence": FRAGMENT_SURE}, *shrunk]
    openness = max(0.0, 1 - ranking[0]["confidence"] / CLEAR)
    topic = context.form or context.topic
    likely = {topic, *FOLLOWS.get(topic or "", ())} if topic else set()

    def raised(reading: Dict[Text, Any]) -> float:
        more = TOPIC_SHARE * openness if reading["name"] in likely else 0.0
        if context.asked and reading["name"] in ANSWERS:
            more += ASKED_SHARE * openness
        return float(reading["confidence"]) * math.exp(more)

    raw = [raised(r) for r in ranking]
    scale = sum(r["confidence"] for r in ranking) / max(sum(raw), 1e-9)
    again = [{**r, "confidence": value * scale} for r, value in zip(ranking, raw)]
    return sorted(again, key=lambda r: -r["confidence"])


def of(metadata: Optional[Dict[Text, Any]]) -> Context:
    """The context a message's metadata carry."""
    told = (metadata or {}).get("context") or {}
    return Context(told.get("topic"), told.get("form"), told.get("asked"))


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class ContextReader(GraphComponent):
    """Rasa's wrapper around :func:`reread`."""

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "ContextReader":
        """Nothing to load."""
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Sorts ``intent_ranking`` anew."""
        for message in messages:
            context = of(message.get("metadata"))
            ranking = message.get("intent_ranking")
            if not ranking or context == Context():
                continue
            masked = masked_text(message.get(TEXT), message.get(ENTITIES) or [])
            again = reread(ranking, masked, context)
            if meant(masked, context) is not None:
                message.set("outside", 0.0, add_to_output=True)  # strange alone, but the talk explains it
            message.set("intent", again[0], add_to_output=True)
            message.set("intent_ranking", again, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing to prepare."""
        return training_data
