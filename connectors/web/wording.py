"""What a page shows when something cannot be taken."""

from __future__ import annotations

import math

_ERRORS = {
    "bad_frame": (
        "这条消息没有识别成功，请刷新页面后再试",
        "That could not be read. Please reload.",
    ),
    "empty": ("消息是空的，写点什么再发吧", "The message is empty."),
    "too_long": (
        "消息太长啦，请控制在 4000 字以内，分几条发也可以",
        "That is too long: 4,000 characters at most, please.",
    ),
    "too_fast": (
        "现在消息有点多，过 {seconds} 秒会自动补发",
        "A little fast; it will be sent again in {seconds} s.",
    ),
    "crowded": (
        "现在来咨询的人太多了，请过 {seconds} 秒再来",
        "Too many people are here right now; please come back in {seconds} s.",
    ),
    "upload_busy": (
        "现在传图的人太多了，请过 {seconds} 秒再发这张图",
        "Too many pictures at once; please send this one again in {seconds} s.",
    ),
    "too_slow": (
        "图片传得太慢，没有收全，请换个网络再发一次",
        "The picture came too slowly; please try another network.",
    ),
    "too_large": ("图片太大了，请发 5 MB 以内的图片", "The picture is too large: 5 MB at most."),
    "not_an_image": (
        "这个文件不是图片，请发 JPG、PNG、GIF 或 WebP 格式",
        "That is no picture: JPG, PNG, GIF or WebP, please.",
    ),
    "customer_quota": (
        "今天发来的图片已经够多啦，先用文字说明吧，明天可以再发",
        "That is enough pictures for today; please describe it in words.",
    ),
    "source_quota": (
        "您所在的网络今天发来的图片太多了，请换个网络，或者先用文字说明",
        "Too many pictures came from your network today; please use words or another network.",
    ),
    "no_room": (
        "现在存不下新图片了，请先用文字说明，我们会尽快处理",
        "There is no room for pictures right now; please use words.",
    ),
    "not_stored": (
        "系统有点忙，消息还没存上，稍后会自动重发",
        "Busy; it will be sent again shortly.",
    ),
    "bad_attachment": ("这张图片已失效，请重新上传", "This picture has expired; upload it again."),
    "bad_press": ("这个按钮已经失效，直接打字告诉我就行", "This button has expired; just type it."),
    "expired": ("页面放得太久了，请刷新后再试", "This page has expired; please reload."),
    "origin": ("这个网站还没有被允许使用在线客服", "This site may not embed the chat."),
}


def error(code: str, language: str = "zh", wait_s: float = 0) -> str:
    """The sentence for an error code, in English where the browser asks for it first.

    Args:
        wait_s: When trying again will help, where the sentence tells.
    """
    chinese, english = _ERRORS[code]
    text = english if language.lower().startswith("en") else chinese
    return text.format(seconds=max(1, math.ceil(wait_s)))
