"""What a page shows when something cannot be taken."""

from __future__ import annotations

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
        "您发得有点快，稍等几秒会自动补发",
        "A little fast; it will be sent again shortly.",
    ),
    "too_large": ("图片太大了，请发 5 MB 以内的图片", "The picture is too large: 5 MB at most."),
    "not_an_image": (
        "这个文件不是图片，请发 JPG、PNG、GIF 或 WebP 格式",
        "That is no picture: JPG, PNG, GIF or WebP, please.",
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


def error(code: str, language: str = "zh") -> str:
    """The sentence for an error code, in English where the browser asks for it first."""
    chinese, english = _ERRORS[code]
    return english if language.lower().startswith("en") else chinese
