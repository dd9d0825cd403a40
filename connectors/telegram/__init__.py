"""Telegram: one bot, by long polling, by webhook, or relayed by a shop's own bot.

Source: Telegram Bot API documentation; telegram-bot-api (what its server really does).
"""
