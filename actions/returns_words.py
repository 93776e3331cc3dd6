"""What customers say about delivered goods, read into the words of the rules. Pure: text in, a value out.

Patterns, not a model: each reading asks for one of a few values, a wrong guess is shown before anything is done, and
when nothing fits the customer is asked with buttons.
"""

import re

from crm.returns.rules import Problem, Settlement

PHOTO = "发了一张图片"  # how the desk tells the brain of a picture (helpdesk/conversations/turns.py)

_NOT_BAD = re.compile(
    r"没(有)?(什么)?(坏|毛病|问题|破|故障)|不是(商品|东西)?(本身)?(的)?(质量|毛病|坏)|无质量问题|没有?质量问题|好好的|不是因为坏"
)
_BAD = re.compile(
    r"坏|故障|毛病|质量|残次|瑕疵|破了|破损|碎|裂|漏(水|电|气|油|底|光)|冒烟|烧(焦|了)|发错|少发|漏发|假货|假的|二手|翻新|"
    r"划痕|磕碰|异响|没反应|不通电|充不(进|上)|死机|黑屏|花屏|亮点|坏点|失灵|不灵|掉漆|脱胶|开胶|起球|掉色|鼓包|生锈|发霉|"
    r"实物不符|描述不符|货不对板|宣传(的)?(不|两)|不一致|糊味|做工|开不了|打不开|用不了|不能用|不转|不工作|老(掉线|断|卡)|松的|关不严"
)
_MIND = re.compile(
    r"不喜欢|不想要|不要了|不太?合适|不适合|用不(上|着|到)|不需要|买多|多买|多拍|买重|重复|买错|拍错|拍多|选错|后悔|改主意|无理由|不会用|"
    r"放不(下|进)|装不(下|了|进)|有一(个|台)了|已经有|嫌|尺寸|太(小|大|重|高|低|长|短|贵|占|复杂|丑|吵)|便宜|降价|不好看|难看|丑|想的不一|"
    r"不搭|不配|不习惯|改颜色|换(个|成|为)?[^，。]{0,3}(色|黑|白|灰|银|红|蓝|绿|粉|紫|橙)|颜色|搬家|分手|冲动|不满意这个颜色|没用过|没拆"
)


def quality_problem(text: str, fault: str | None = None) -> bool | None:
    """True: the goods are bad; False: a change of mind; None: neither is said."""
    rest = _NOT_BAD.sub("", text)
    if fault and not _NOT_BAD.search(text):
        return True
    if _BAD.search(rest):
        return True
    return False if rest != text or _MIND.search(rest) else None


UNTOLD = "未说明原因"  # what stands as the reason of who does not want to tell one
_NO_REASON = re.compile(
    r"(?:我|就是|也|真|其实|都)*(?:没有?|无|不想|不愿意?|不方便|不便|懒得|不用|不必|可以不|能不|别)"
    r"(?:啥|什么|特别的?|具体)?(?:(?:说|讲|填|写|问)(?:明)?(?:原因|理由)?|原因|理由)(?:吗|了|啊|吧|行吗|可以吗|行不行)*"
    r"|不说(?:原因|理由|行吗|可以吗|行不行)+|不方便|不为什么|没为什么|没什么|没啥|跳过|略过|下一步|保密|随便|无|不"
)


def tells_no_reason(text: str) -> bool:
    """Whether the question for the reason is passed over: 不想说, 没什么原因, 跳过."""
    return _NO_REASON.fullmatch(text.strip(" ，,。.！!~")) is not None


_GIVES_REASON = re.compile(r"因为|由于|(?:原因|理由)(?:是|：|:)")


def gives_reason(text: str) -> bool:
    """Whether a message says outright that it tells a reason."""
    return _GIVES_REASON.search(text) is not None


_USED = re.compile(
    r"(?<![没未不])(?<!没有)(已经?|都)?(拆(封|开|了|过|箱)|开封|激活(了|过)?|开(了|过)?机|联网|插卡|装(好|上|完)(了)?|安装(好|了|过|完)|"
    r"(用|戴|试)(了|过))"
)
_INTACT = re.compile(
    r"(没有?|未|还没|都没)(拆|开封|激活|开机|联网|插卡|装|安装|用|动|戴)|全新|原封|没动过|塑封(还)?在|未使用|完好没"
)


def used(text: str) -> bool | None:
    """True: unsealed, activated or set up; False: not; None: not said."""
    if _INTACT.search(text):
        return False
    return True if _USED.search(text) else None


_ASKING = re.compile(r"为什么|为啥|凭什么|凭啥|怎么|干嘛|吗|么[?？]?$|不给|能不能|可不可以")


def calls_off(text: str, verb: str) -> bool:
    """Whether the customer takes back a wish; ``verb`` is 退, 换 or 补.

    不退了 and 取消退货 are; 不能退, 为什么不退 and 退了算了 are not.
    """
    if _ASKING.search(text):
        return False
    others = "".join(v for v in "退换补" if v != verb)
    if verb in "退换" and re.search(rf"不{verb}了?[，。 ]*(直接|就|要|我要|还是)?[{others}]", text):
        return False  # 不换了直接退 is a wish of its own
    return bool(
        re.search(
            rf"(?<!{verb})(别|不用|不想|不要|先不|不是要|不是想|不)(再)?(帮我|给我)?"
            rf"{verb}(?!掉)(货|款|发|寄)?(了|啦|吧|的|$|，|。| )",
            text,
        )
        or re.search(
            rf"(取消|撤销|撤回|撤掉|收回|关闭)(我的?|这个|那个|刚才的?|掉|一下|了|申请|的)*({verb}|售后)", text
        )
        or re.search(r"(取消|撤销|不用|别|不要)[^，。]{0,6}取件|取件[^，。]{0,4}(取消|不用|别来|撤)", text)
        or re.search(r"AS\d{6,}[^，。]{0,8}(取消|撤)|(取消|撤)[^，。]{0,6}AS\d{6,}", text, re.I)
        or re.search(rf"({verb}|售后|少件)[^，。]{{0,8}}(取消|撤销|撤回|撤了|撤|就算了|别弄|别让|不用了)", text)
    )


def turns_to_other(text: str, verb: str) -> bool:
    """Whether the other one of 退 and 换 is wanted instead of ``verb``: 先不退了 我要换货, 算了还是退吧."""
    other = {"退": "换", "换": "退"}.get(verb)
    if other is None or _ASKING.search(text):
        return False
    return bool(
        re.search(rf"(别|不|不想|不要|不用){verb}[^不]*{other}", text)
        or re.search(rf"(改成?|改为|还是|我要|我想|直接|换成|申请){other}(货|掉|吧|了|$)", text)
    )


OTHER_PRODUCT = re.compile(
    r"差价|补钱|加钱|贵一点|便宜一点|(别|其他|另外|另一)的?(款|型号|商品|牌子)|换(个)?(款|型号)|高配|低配|(大|小)一?(号|码|点的|寸)|"
    r"尺码|[0-9一二三四五六七八九.]+(升|匹|寸|英寸|公斤|kg)那?(个|款|台)?的?"
)


def wants_other_product(text: str) -> bool:
    """Whether another model is wanted rather than the same one."""
    return bool(re.search(r"换", text) and OTHER_PRODUCT.search(text[text.index("换") :]))


_PARTS = (
    "配件|遥控器|说明书|电源线?|适配器|充电(线|器|头|座)|数据线|螺丝|底座|刷头|滚刷|滤网|滤芯|电池|支架|挂架|盖子|轮子|保修卡|"
    "内胆|刀头|枕套|零件|蒸笼|水箱|线"
)
_GONE = "少|缺|漏|没|不全|忘"
_READ = (
    (Problem.GIFT, re.compile(r"赠品|礼品|赠的|送的.{0,8}(没|少|呢|漏)|页面.{0,6}送|买一送一|说好(的)?送")),
    (
        Problem.PART,
        re.compile(
            rf"({_GONE})[^，。]{{0,8}}({_PARTS})|({_PARTS})[^，。]{{0,5}}({_GONE}|呢)|少了?个[^，。件]{{1,6}}|配件"
        ),
    ),
    (
        Problem.MISSING,
        re.compile(
            r"空盒|空箱|空的|整件|少(发|寄|了|了?[0-9一两二三几])[^，。]{0,3}[件台个箱套双瓶盒]|只(收到|有|到|来)|没发全|少货"
        ),
    ),
    (
        Problem.WRONG,
        re.compile(
            r"发错|寄错|送错(?!地)|发成|不是我(买|要|拍|订)|拿到的不是|颜色(不对|错)|型号不(对|一)|货不对|不符|"
            r"(要|买|拍|选)的?是?.{1,8}(来|发|收到|送来|到手)的?(是|个|成)?|二手|使用痕迹|用过的|翻新|激活时间|东西不对|别人的"
        ),
    ),
    (Problem.DAMAGED, re.compile(r"碎|裂|破|瘪|凹|划痕|磕|压扁|变形|摔|断了|掉漆|刮痕|漏了一")),
    (
        Problem.FAULTY,
        re.compile(
            r"坏|故障|毛病|开不了|没反应|用不了|不能用|不通电|冒烟|漏(水|电|气)|死机|黑屏|不亮|不转|没声|充不|异响|糊味|不制冷|不出|"
            r"打不着|失灵|离线|连不上|坏点|亮点"
        ),
    ),
)
MORE_SENT = re.compile(r"多(发|寄|送|给)(了|我)")


def problem(text: str, fault: str | None = None) -> Problem | None:
    """What is wrong with what arrived; None when it is not said clearly (少发了 alone may be a piece or a part)."""
    for kind, pattern in _READ:
        if pattern.search(text):
            return kind
    return Problem.FAULTY if fault else None


def settlement(text: str) -> Settlement | None:
    """What is wished for; the last one said counts (不换了，退款吧)."""
    words = {"补": Settlement.RESEND, "重发": Settlement.RESEND, "重新寄": Settlement.RESEND, "再发": Settlement.RESEND}
    words |= {"换": Settlement.EXCHANGE, "退": Settlement.REFUND}
    places = [
        (found.start(), wish)
        for word, wish in words.items()
        for found in re.finditer(rf"(?<![不别])(?<!不用)(?<!不要)(?<!不想){word}(?!偿|照|图|拍|充)", text)
    ]
    return max(places)[1] if places else None


_NO_PHOTO = re.compile(
    r"晚点|晚些|稍后|等下|等会|等我|过会|待会|回头|下班|到家|回家|没有|没拍|没照|没图|不方便|没法|没办法|无法|不会拍"
    r"|[拍照]不|不想?要?用?(?:先)?(?:拍|照|发图|发照|传)|先不(?:拍|照|发|传)|别拍|先办|跳过"
)


def photo(text: str, asked: bool) -> str | None:
    """``sent`` or ``later``."""
    if PHOTO in text:
        return "sent"
    return "later" if asked and _NO_PHOTO.search(text) else None


PICKUP_CUE = re.compile(r"取件|上门|来(取|拿|收|拉)|取走|拉走|[天午上号一二三四五六日]取(?![消到])")
_MOVED = re.compile(
    r"(?:取件|来取|上门取|AS\d{6,})[^，,。]{0,8}(?:改|换|推|挪|提前|延|约|晚)|(?:改|换|推迟|挪|重新约)[^，,。]{0,6}取件",
    re.I,
)


def moves_pickup(text: str) -> bool:
    """Whether the pick-up of a return is to be moved: 取件改到周四下午, AS2611237629 换到周五."""
    return _MOVED.search(text) is not None


def number_of(text: str) -> int | None:
    """A bare count: 两件, 2, 全部 is 0 (all)."""
    if re.search(r"全部|都|整单|全退|全换|全要|所有", text):
        return 0
    digits = {c: i + 1 for i, c in enumerate("一二三四五六七八九十")} | {"两": 2}
    found = re.search(r"(\d{1,4}|[一两二三四五六七八九十])(?=\s*(件|个|台|只|套|双|箱|盒|部|瓶|包|把|$))", text)
    if not found:
        return None
    said = found.group(1)
    return int(said) if said.isdigit() else digits[said]
