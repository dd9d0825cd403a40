"""Words of Latin letters that customers of a card shop type and that hide nothing."""

from __future__ import annotations

import re

_PRODUCTS = """
    steam xbox ps psn plus playstation switch nintendo eshop office win windows mac macos ios ipad
    iphone android apple itunes google play gta csgo cs cod fifa lol dnf pubg uc apex valorant
    minecraft roblox robux fortnite genshin netflix spotify youtube disney hbo prime premium hulu
    chatgpt gpt openai claude copilot midjourney adobe photoshop visual studio microsoft amazon
    paypal visa mastercard alipay wechat weixin qq vip svip xgp pass ultimate core essential extra
    deluxe standard pro max mini air basic gold silver usdt trc erc bep bsc btc eth usd cny rmb
    hkd eur gbp jpy krw try ars inr kindle tinder discord nitro telegram twitch skype zoom vpn
    game gamecard dota dlc key cdk cdkey code card gift wallet topup pin region turkey argentina
    usa japan korea global hk tw us uk jp kr cn sn server gb mb tb hz mm kg ml day days month
    months year years hour hours min mins minute minutes week weeks pcs rtx gtx intel amd ryzen
    core java bedrock edition version ver beta build update error err http https www com order no
    number id uid gmt utc md sha hmac sim api etc sdk url faq ui ai pc cpu gpu nfc sms qr dd ok
    yyds save off promo coupon chrome edge firefox safari wifi lte router bilibili iqiyi youku
    tencent taobao jd tb pdd douyin tiktok h ip v x f p k g m d y w t s fps hdr uhd hd mp mp3 mp4
    png jpg pdf
"""
_EVERYDAY = """
    a an the and or but if then so not no yes ok okay k yep nope hi hello hey thanks thank thx ty
    please pls sorry wait hold on stop cancel help human agent person support service staff bot
    here there this that these those it its is was are were am be been do does did done can could
    cannot will would won should shall may might must have has had i me my mine you your yours we
    us our they them their he she him her his who whom what when where which why how all any some
    none one two both each every more most much many just only also too very really still already
    yet again now later soon today tomorrow yesterday good great nice fine bad wrong right true
    false correct incorrect invalid valid missing lost forgot forget forgotten remember reset
    change changed changing set setting need needed needs want wanted work works working worked
    fail fails failed failing expire expired expires sent send sending resend received receive got
    get gets getting give gave see seen find found look know idea think tell told say says said
    try tried trying use used using buy bought pay paid order orders orderid refund refunded
    return exchange money price cheap discount invoice email mail mailbox phone mobile number
    wallet account login log in out up to from for of at by with without about after before
    because required require requires optional sensitive case password passwords passcode pwd code
    codes key keys card cards page blank link site website app shop store seller fake scam legit
    empty null none unknown test testing hmm hm haha lol lmao wtf omg bro dude sir madam friend
    man bye goodbye cheers cool sure maybe perhaps never always nothing something anything
    everything else other another same new old first last next query english chinese zaima nihao
    zai ma xiexie buzhidao meiyou wangle kefu rengong mima dingdan redeem redeemed activate
    activation delivered delivery deliver delay delayed pending status back off it's doesn't don't
    didn't can't won't isn't wasn't i'm you're that's what's there's i've i'll haven't hasn't
    couldn't shouldn't
"""
_SPELT = f"{_PRODUCTS} {_EVERYDAY}"
# an apostrophe is the first thing that a phone's keyboard leaves out
_WORDS = frozenset([*_SPELT.split(), *_SPELT.replace("'", "").split()])
_LETTERS = re.compile(r"[A-Za-z]+")
_HEX = re.compile(r"0x[0-9A-Fa-f]{2,16}")
_SIZE = re.compile(
    r"[$¥x×+-]?\d{1,6}(?:[.,]\d{1,3})?(?:[a-z]{1,2}|usd|cny|rmb|day|days|month|months)?", re.I
)
_DOMAIN = re.compile(
    r"(?:[a-z0-9\-]{1,30}\.){1,3}(?:com|cn|net|org|io|shop|top|xyz|cc)", re.IGNORECASE
)
_FILE = re.compile(
    r"(?:(?:img|image|dsc|dcim|screenshot|mmexport|wx_camera|pic|photo|video|vid|pxl|qq|wechat|mp)?"
    r"[_\-]?)\d{0,20}(?:[_\-.]\d{1,10}){0,6}\.[a-z0-9]{2,4}",
    re.IGNORECASE,
)
_NUMBER_DIGITS = 5


def is_ordinary(token: str) -> bool:
    """Tell whether a word of printable ASCII is none that anybody would choose as a password.

    Everyday words, products with their number, sizes, error numbers, sites, a camera's files.

    >>> [is_ordinary(one) for one in ("steam50", "office2021", "doesn't", "0x80070490", "12months")]
    [True, True, True, True, True]
    >>> is_ordinary("jxjj7033"), is_ordinary("abc123456")
    (False, False)
    """
    lower = token.lower().rstrip("!.?,")
    if lower in _WORDS:
        return True
    if _HEX.fullmatch(token) or _DOMAIN.fullmatch(lower) or _FILE.fullmatch(lower):
        return True
    words = _LETTERS.findall(lower)
    if not words:
        return False
    if any(char.isdigit() for char in lower):
        digits = sum(char.isdigit() for char in lower)
        is_size = not lower[0].isalpha() and _SIZE.fullmatch(lower) is not None
        return is_size or (digits < _NUMBER_DIGITS and all(word in _WORDS for word in words))
    return "'" in lower or ("-" in lower and all(word in _WORDS for word in words))
