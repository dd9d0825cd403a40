"""WeCom customer service (微信客服): customers write in WeChat, we read a log and answer by API.

Source: WeCom developer documentation, 微信客服 (paths 94638 to 95122), 全局错误码 (90313).
"""
