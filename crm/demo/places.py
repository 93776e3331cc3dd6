"""Where the demo's customers live and how far that is from the warehouses. Roads and estates are invented."""

from dataclasses import dataclass
from random import Random

from crm.orders.rules import REMOTE_PROVINCES

CITIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "杭州": ("浙江", ("西湖区", "滨江区", "余杭区", "拱墅区")),
    "宁波": ("浙江", ("鄞州区", "海曙区", "江北区")),
    "温州": ("浙江", ("鹿城区", "瓯海区")),
    "上海": ("上海", ("浦东新区", "徐汇区", "闵行区", "杨浦区")),
    "南京": ("江苏", ("鼓楼区", "江宁区", "建邺区")),
    "苏州": ("江苏", ("姑苏区", "吴中区", "相城区")),
    "合肥": ("安徽", ("蜀山区", "包河区", "庐阳区")),
    "福州": ("福建", ("鼓楼区", "仓山区")),
    "厦门": ("福建", ("思明区", "湖里区")),
    "济南": ("山东", ("历下区", "市中区")),
    "青岛": ("山东", ("市南区", "崂山区", "黄岛区")),
    "南昌": ("江西", ("东湖区", "红谷滩区")),
    "佛山": ("广东", ("南海区", "顺德区", "禅城区")),
    "广州": ("广东", ("天河区", "越秀区", "番禺区")),
    "深圳": ("广东", ("南山区", "福田区", "龙岗区")),
    "南宁": ("广西", ("青秀区", "西乡塘区")),
    "海口": ("海南", ("龙华区", "美兰区")),
    "成都": ("四川", ("锦江区", "武侯区", "成华区", "青羊区")),
    "绵阳": ("四川", ("涪城区", "游仙区")),
    "重庆": ("重庆", ("渝中区", "江北区", "沙坪坝区")),
    "贵阳": ("贵州", ("南明区", "观山湖区")),
    "昆明": ("云南", ("五华区", "盘龙区")),
    "武汉": ("湖北", ("武昌区", "洪山区", "江汉区")),
    "长沙": ("湖南", ("岳麓区", "雨花区")),
    "郑州": ("河南", ("金水区", "中原区")),
    "北京": ("北京", ("朝阳区", "海淀区", "丰台区", "通州区")),
    "天津": ("天津", ("南开区", "和平区")),
    "石家庄": ("河北", ("长安区", "裕华区")),
    "太原": ("山西", ("小店区", "迎泽区")),
    "西安": ("陕西", ("雁塔区", "碑林区", "未央区")),
    "兰州": ("甘肃", ("城关区", "七里河区")),
    "沈阳": ("辽宁", ("和平区", "浑南区")),
    "大连": ("辽宁", ("中山区", "沙河口区")),
    "长春": ("吉林", ("朝阳区", "南关区")),
    "哈尔滨": ("黑龙江", ("南岗区", "道里区")),
    "乌鲁木齐": ("新疆", ("天山区", "沙依巴克区")),
    "拉萨": ("西藏", ("城关区",)),
    "西宁": ("青海", ("城西区", "城东区")),
    "呼和浩特": ("内蒙古", ("赛罕区", "新城区")),
}
ROADS = (
    "澄心路",
    "云栖东路",
    "望湖路",
    "春晖街",
    "桂雨路",
    "长禾大道",
    "青岚路",
    "映月街",
    "书香路",
    "晴川路",
    "南屏街",
)
ESTATES = ("澄园", "湖畔花苑", "梧桐里", "锦绣家园", "星河湾畔",
           "翠竹苑", "书香名邸", "阳光里", "山水华庭", "江南春晓")  # fmt: skip

# The warehouse a province is served from; the others are served from the first.
WAREHOUSES = {
    "杭州": frozenset({"浙江", "上海", "江苏", "安徽", "江西", "山东"}),
    "佛山": frozenset({"广东", "广西", "海南", "福建"}),
    "成都": frozenset({"四川", "重庆", "贵州", "云南", "西藏"}),
}


@dataclass(frozen=True)
class Route:
    """From a warehouse to a customer; ``least_days`` to ``most_days`` after dispatch by docs/shop.md."""

    origin: str
    city: str
    district: str
    least_days: float
    most_days: float


def province_of(city: str) -> str:
    """The city's province, short (浙江)."""
    return CITIES[city][0]


def draw_address(rng: Random, city: str) -> str:
    """District, road and door of an invented home in the city."""
    road = f"{rng.choice(ROADS)}{rng.randint(1, 688)}号"
    door = f"{rng.randint(1, 28)}幢{rng.randint(1, 3)}单元{rng.randint(1, 26)}0{rng.randint(1, 4)}室"
    return f"{rng.choice(CITIES[city][1])}{road}{rng.choice(ESTATES)}{door}"


def route_to(city: str, address: str) -> Route:
    """How a parcel comes to an address."""
    province, districts = CITIES[city]
    origin = next((name for name, served in WAREHOUSES.items() if province in served), "杭州")
    district = next((name for name in districts if address.startswith(name)), districts[0])
    if province in REMOTE_PROVINCES:
        least, most = 5.0, 7.0
    elif city == origin:
        least, most = 0.6, 1.0
    elif province in WAREHOUSES[origin]:
        least, most = 1.0, 2.0
    else:
        least, most = 2.0, 4.0
    return Route(origin, city, district, least, most)
