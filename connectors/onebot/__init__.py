"""QQ by OneBot v11: NapCat, LLOneBot, Lagrange and go-cqhttp, each logged in as a person's account.

Source: OneBot 11 standard (botuniverse/onebot-11); NapCatQQ's and go-cqhttp's own behaviour where
they differ from it.
"""
