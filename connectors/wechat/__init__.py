"""WeChat Official Accounts (公众号): pushes come in, customer-service messages go out.

Source: WeChat Official Accounts documentation, chapters 接收消息与事件, 客服消息, 被动回复用户消息.
"""
