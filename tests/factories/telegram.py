"""Messages of every kind that Telegram's Bot API knows, one a field, in the Bot API's own JSON."""

from __future__ import annotations

from typing import Any

BOT_ID = 110201543
USER: dict[str, Any] = {
    "id": 515151,
    "is_bot": False,
    "first_name": "阿南",
    "language_code": "zh-hans",
}
CHAT: dict[str, Any] = {"id": 515151, "type": "private", "first_name": "阿南"}
BOT: dict[str, Any] = {"id": BOT_ID, "is_bot": True, "first_name": "客服", "username": "star_bot"}
AT = 1795420800

_FILE = {"file_id": "f-1", "file_unique_id": "u-1", "file_size": 4096}
_PICTURE = {**_FILE, "width": 90, "height": 90}
_PICTURES = [_PICTURE, {**_PICTURE, "file_id": "f-2", "width": 900, "height": 900}]
_VIDEO = {**_FILE, "width": 640, "height": 360, "duration": 5}
_CHANNEL = {"id": -100777, "type": "channel", "title": "上新频道"}
_STICKER = {**_PICTURE, "type": "regular", "is_animated": False, "is_video": False}
_PLACE = {"latitude": 31.2, "longitude": 121.4}
_POLL = {
    "id": "p1",
    "question": "要哪种卡",
    "options": [
        {"persistent_id": "1", "text": "月卡", "voter_count": 0},
        {"persistent_id": "2", "text": "季卡", "voter_count": 0},
    ],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": False,
    "members_only": False,
}
_TASKS = [{"id": 1, "text": "先退款"}, {"id": 2, "text": "再补卡"}]
_GIFT = {"id": "g1", "sticker": _STICKER, "star_count": 25}
_UNIQUE = {
    "gift": {
        "gift_id": "g2",
        "base_name": "小熊",
        "name": "bear-7",
        "number": 7,
        "model": {"name": "m", "sticker": _STICKER, "rarity_per_mille": 5},
        "symbol": {"name": "s", "sticker": _STICKER, "rarity_per_mille": 5},
        "backdrop": {
            "name": "b",
            "colors": {"center_color": 1, "edge_color": 2, "symbol_color": 3, "text_color": 4},
            "rarity_per_mille": 5,
        },
    },
    "origin": "transfer",
}
_RICH = {
    "blocks": [
        {"type": "heading", "size": 1, "text": "退款说明"},
        {"type": "paragraph", "text": ["订单 ", {"type": "bold", "text": "A-100"}, " 没到账"]},
    ]
}

SAID: dict[str, tuple[Any, str]] = {
    "text": ("卡密不对", "卡密不对"),
    "caption": ("只有说明", "只有说明"),
    "rich_message": (_RICH, "退款说明\n订单 A-100 没到账"),
    "sticker": ({**_STICKER, "emoji": "😭"}, "😭"),
}
"""What the customer said: (value, the line)."""

FILES: dict[str, tuple[Any, str, str]] = {
    "photo": (_PICTURES, "image", "f-2"),
    "live_photo": ({**_VIDEO, "photo": _PICTURES}, "image", "f-2"),
    "animation": (_VIDEO, "video", "f-1"),
    "video": (_VIDEO, "video", "f-1"),
    "video_note": ({**_FILE, "length": 240, "duration": 5}, "video", "f-1"),
    "voice": ({**_FILE, "duration": 5}, "voice", "f-1"),
    "audio": ({**_FILE, "duration": 5}, "file", "f-1"),
    "document": ({**_FILE, "file_name": "单.pdf"}, "file", "f-1"),
}
"""Files: (value, our kind, the file's id)."""

DESCRIBED: dict[str, tuple[Any, str]] = {
    "checklist": ({"title": "我要的", "tasks": _TASKS}, "[清单] 我要的 先退款 再补卡"),
    "contact": ({"phone_number": "1", "first_name": "老", "last_name": "王"}, "[名片] 老 王"),
    "dice": ({"emoji": "🎯", "value": 4}, "[骰子] 🎯 4"),
    "game": (
        {"title": "接龙", "description": "一起玩", "photo": _PICTURES},
        "[游戏] 接龙 一起玩",
    ),
    "gift": ({"gift": _GIFT, "text": "辛苦了"}, "[礼物] 辛苦了"),
    "gift_upgrade_sent": ({"gift": _GIFT}, "[礼物]"),
    "giveaway": (
        {
            "chats": [_CHANNEL],
            "winners_selection_date": AT,
            "winner_count": 3,
            "prize_description": "点卡三张",
        },
        "[抽奖] 点卡三张",
    ),
    "giveaway_winners": (
        {
            "chat": _CHANNEL,
            "giveaway_message_id": 4,
            "winners_selection_date": AT,
            "winner_count": 1,
            "winners": [USER],
            "prize_description": "点卡三张",
        },
        "[抽奖结果] 点卡三张",
    ),
    "invoice": (
        {
            "title": "月卡",
            "description": "30 天",
            "start_parameter": "x",
            "currency": "XTR",
            "total_amount": 5,
        },
        "[账单] 月卡 30 天",
    ),
    "location": (_PLACE, "[位置] 31.20000, 121.40000"),
    "paid_media": (
        {"star_count": 5, "paid_media": [{"type": "preview", "width": 9, "height": 9}]},
        "[付费内容]",
    ),
    "poll": (_POLL, "[投票] 要哪种卡 月卡 季卡"),
    "story": ({"chat": _CHANNEL, "id": 3}, "[转发的动态]"),
    "unique_gift": (_UNIQUE, "[礼物] 小熊"),
    "venue": (
        {"location": _PLACE, "title": "东门", "address": "一路 1 号"},
        "[位置] 东门 一路 1 号",
    ),
}
"""What only a person can read: (value, the line)."""

_AMOUNT = {"currency": "XTR", "total_amount": 5}
TOLD: dict[str, Any] = {
    "boost_added": {"boost_count": 1},
    "channel_chat_created": True,
    "chat_background_set": {
        "type": {"type": "chat_theme", "theme_name": "x"},
    },
    "chat_owner_changed": {"new_owner": USER},
    "chat_owner_left": {"new_owner": USER},
    "chat_shared": {"request_id": 1, "chat_id": -5},
    "checklist_tasks_added": {"tasks": _TASKS},
    "checklist_tasks_done": {"marked_as_done_task_ids": [1]},
    "community_chat_added": {"community": {"id": 1, "name": "x"}},
    "community_chat_joined": {"community": {"id": 1, "name": "x"}},
    "community_chat_removed": {"community": {"id": 1, "name": "x"}},
    "connected_website": "shop.example",
    "delete_chat_photo": True,
    "direct_message_price_changed": {"are_direct_messages_enabled": True},
    "forum_topic_closed": {},
    "forum_topic_created": {"name": "x", "icon_color": 1},
    "forum_topic_edited": {"name": "y"},
    "forum_topic_reopened": {},
    "general_forum_topic_hidden": {},
    "general_forum_topic_unhidden": {},
    "giveaway_completed": {"winner_count": 1},
    "giveaway_created": {"prize_star_count": 5},
    "group_chat_created": True,
    "left_chat_member": USER,
    "managed_bot_created": {"bot": BOT},
    "message_auto_delete_timer_changed": {"message_auto_delete_time": 60},
    "migrate_from_chat_id": -4,
    "migrate_to_chat_id": -1004,
    "new_chat_members": [USER],
    "new_chat_photo": _PICTURES,
    "new_chat_title": "x",
    "paid_message_price_changed": {"paid_message_star_count": 5},
    "passport_data": {"data": [], "credentials": {"data": "x", "hash": "y", "secret": "z"}},
    "pinned_message": {"message_id": 4, "date": 0, "chat": CHAT},
    "poll_option_added": {"option_persistent_id": "3", "option_text": "年卡"},
    "poll_option_deleted": {"option_persistent_id": "3", "option_text": "年卡"},
    "proximity_alert_triggered": {"traveler": USER, "watcher": BOT, "distance": 5},
    "refunded_payment": {
        **_AMOUNT,
        "invoice_payload": "x",
        "telegram_payment_charge_id": "c",
    },
    "successful_payment": {
        **_AMOUNT,
        "invoice_payload": "x",
        "telegram_payment_charge_id": "c",
        "provider_payment_charge_id": "d",
    },
    "suggested_post_approval_failed": {"price": {"currency": "XTR", "amount": 5}},
    "suggested_post_approved": {"send_date": AT},
    "suggested_post_declined": {"comment": "x"},
    "suggested_post_paid": {"currency": "XTR", "amount": 5},
    "suggested_post_refunded": {"reason": "post_deleted"},
    "supergroup_chat_created": True,
    "user_shared": {"request_id": 1, "user_id": 5},
    "users_shared": {"request_id": 1, "users": [{"user_id": 5}]},
    "video_chat_ended": {"duration": 5},
    "video_chat_participants_invited": {"users": [USER]},
    "video_chat_scheduled": {"start_date": AT},
    "video_chat_started": {},
    "web_app_data": {"data": "x", "button_text": "y"},
    "write_access_allowed": {},
}
"""Service messages: something happened, and nobody waits for an answer."""

_QUOTED = {
    "message_id": 11,
    "date": AT,
    "chat": CHAT,
    "from": BOT,
    "text": "您的订单已经发货",
}
BESIDE: dict[str, Any] = {
    "author_signature": "x",
    "business_connection_id": "b",
    "caption_entities": [{"type": "bold", "offset": 0, "length": 1}],
    "chat": CHAT,
    "date": AT,
    "direct_messages_topic": {"topic_id": 1, "user": USER},
    "edit_date": AT + 5,
    "effect_id": "5",
    "entities": [{"type": "bold", "offset": 0, "length": 1}],
    "ephemeral_message_id": 3,
    "external_reply": {
        "origin": {"type": "hidden_user", "date": AT, "sender_user_name": "甲"},
    },
    "forward_date": AT,
    "forward_from": USER,
    "forward_from_chat": _CHANNEL,
    "forward_from_message_id": 3,
    "forward_origin": {"type": "hidden_user", "date": AT, "sender_user_name": "甲"},
    "forward_sender_name": "甲",
    "forward_signature": "x",
    "from": USER,
    "guest_bot_caller_chat": _CHANNEL,
    "guest_bot_caller_user": USER,
    "guest_query_id": "x",
    "has_media_spoiler": True,
    "has_protected_content": True,
    "is_automatic_forward": True,
    "is_from_offline": True,
    "is_paid_post": True,
    "is_topic_message": True,
    "link_preview_options": {"is_disabled": True},
    "media_group_id": "m1",
    "message_id": 21,
    "message_thread_id": 4,
    "paid_star_count": 5,
    "quote": {"text": "已经发货", "position": 5},
    "receiver_user": USER,
    "reply_markup": {"inline_keyboard": [[{"text": "看", "callback_data": "1"}]]},
    "reply_to_checklist_task_id": 1,
    "reply_to_message": _QUOTED,
    "reply_to_poll_option_id": "1",
    "reply_to_story": {"chat": _CHANNEL, "id": 3},
    "sender_boost_count": 1,
    "sender_business_bot": BOT,
    "sender_chat": _CHANNEL,
    "sender_tag": "x",
    "show_caption_above_media": True,
    "suggested_post_info": {"state": "pending"},
    "via_bot": BOT,
}
"""What stands beside the content: who, when, about what."""


def values() -> dict[str, Any]:
    """A value of every field, by its name."""
    said = {name: value for name, (value, *_) in {**SAID, **DESCRIBED}.items()}
    files = {name: value for name, (value, *_) in FILES.items()}
    return {**BESIDE, **said, **files, **TOLD}


def an_update(number: int = 7, **fields: Any) -> dict[str, Any]:
    """A private message with these fields."""
    message = {"message_id": 21, "from": USER, "chat": CHAT, "date": AT, **fields}
    return {"update_id": number, "message": message}
