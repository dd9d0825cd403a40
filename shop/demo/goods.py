"""What the demo shop sells."""

from __future__ import annotations

from decimal import Decimal

from shop.domain.products import Product, ProductKind

_CARD_PROMISE_S = 600
_TOPUP_PROMISE_S = 1800
_MANUAL_PROMISE_S = 7200
_CARD_AFTER_SALE = "卡密发出后不支持无理由退换；首次使用就无效或已被使用的，24 小时内联系客服核实。"
_STEAM_HOW_TO = "登录 Steam 客户端 → 右上角用户名 → 账户明细 → 为钱包充值 → 兑换钱包码。"
_TOPUP_AFTER_SALE = "充值提交后账号填错无法追回；超时未到账会为您核实或退款。"


def demo_products() -> tuple[Product, ...]:
    """Nine products of every kind; card products say here how many cards are to be in stock."""
    return (
        Product(
            id="demo-steam-50",
            title="Steam 钱包码 50元",
            nicknames=("steam50", "steam充值卡50", "蒸汽钱包50", "steam", "steam钱包"),
            kind=ProductKind.CARD,
            price=Decimal("48.80"),
            stock=36,
            promise_s=_CARD_PROMISE_S,
            region="国区账号，人民币钱包",
            how_to=_STEAM_HOW_TO,
            after_sale=_CARD_AFTER_SALE,
        ),
        Product(
            id="demo-steam-100",
            title="Steam 钱包码 100元",
            nicknames=("steam100", "steam充值卡100", "蒸汽钱包100", "steam", "steam钱包"),
            kind=ProductKind.CARD,
            price=Decimal("97.20"),
            stock=24,
            promise_s=_CARD_PROMISE_S,
            region="国区账号，人民币钱包",
            how_to=_STEAM_HOW_TO,
            after_sale=_CARD_AFTER_SALE,
        ),
        Product(
            id="demo-netease-30",
            title="网易一卡通 30元",
            nicknames=("网易一卡通", "网易点卡", "一卡通", "梦幻点卡"),
            kind=ProductKind.CARD,
            price=Decimal("29.10"),
            stock=6,
            promise_s=_CARD_PROMISE_S,
            how_to="打开网易游戏充值页 → 选择一卡通 → 填写卡号和密码。",
            after_sale=_CARD_AFTER_SALE,
        ),
        Product(
            id="demo-iqiyi-month",
            title="爱奇艺黄金会员月卡",
            nicknames=("爱奇艺", "爱奇艺会员", "爱奇艺月卡", "奇异果会员"),
            kind=ProductKind.CARD,
            price=Decimal("18.50"),
            stock=0,
            promise_s=_CARD_PROMISE_S,
            how_to="打开爱奇艺 App → 我的 → 会员中心 → 激活码兑换。",
            after_sale=_CARD_AFTER_SALE,
        ),
        Product(
            id="demo-wangzhe-500",
            title="王者荣耀点券 500点",
            nicknames=("王者点券", "王者荣耀点券", "点券", "农药点券"),
            kind=ProductKind.TOPUP,
            price=Decimal("49.00"),
            stock=200,
            promise_s=_TOPUP_PROMISE_S,
            region="安卓 QQ 区、微信区",
            how_to="下单时填写游戏区服和账号，付款后自动充值，不需要密码。",
            after_sale=_TOPUP_AFTER_SALE,
        ),
        Product(
            id="demo-genshin-6480",
            title="原神创世结晶 6480个",
            nicknames=("原神创世结晶", "创世结晶", "原神648", "原石"),
            kind=ProductKind.TOPUP,
            price=Decimal("618.00"),
            stock=40,
            promise_s=_TOPUP_PROMISE_S,
            region="天空岛（官服）、世界树（B服）",
            how_to="下单时填写 UID 和服务器，付款后自动充值，不需要密码。",
            after_sale=_TOPUP_AFTER_SALE,
        ),
        Product(
            id="demo-qcoin-100",
            title="Q币 100个",
            nicknames=("Q币", "qb", "QQ币", "扣币"),
            kind=ProductKind.TOPUP,
            price=Decimal("98.50"),
            stock=300,
            promise_s=_TOPUP_PROMISE_S,
            how_to="下单时填写 QQ 号，付款后自动充值，不需要密码。",
            after_sale=_TOPUP_AFTER_SALE,
        ),
        Product(
            id="demo-phone-100",
            title="手机话费 100元",
            nicknames=("话费", "话费充值", "手机充值", "充话费"),
            kind=ProductKind.TOPUP,
            price=Decimal("99.20"),
            stock=500,
            promise_s=_TOPUP_PROMISE_S,
            region="移动、联通、电信",
            how_to="下单时填写手机号，付款后自动充值；月初三天和携号转网的号码会慢一些。",
            after_sale=_TOPUP_AFTER_SALE,
        ),
        Product(
            id="demo-tencent-video-month",
            title="腾讯视频会员月卡",
            nicknames=("腾讯视频", "腾讯会员", "腾讯视频会员", "腾讯视频月卡"),
            kind=ProductKind.MANUAL,
            price=Decimal("22.00"),
            stock=80,
            promise_s=_MANUAL_PROMISE_S,
            how_to="下单时填写 QQ 号或微信手机号，客服手动开通。",
            after_sale=_TOPUP_AFTER_SALE,
        ),
    )
