import type { Locale } from '../widget/locales'

const zh = {
  help: '客服中心',
  heading: '有什么可以帮您？',
  lead: '查订单、补发卡密、问充值到账，\n发一句话就行。',
  ask: '您可以问',
  promises: [
    ['凭订单号就能查', '报订单号和下单联系方式，马上查'],
    ['卡密只给本人', '核对身份才显示，不问支付密码'],
    ['随时能找到人', '点“转人工”，聊过的不用再说'],
  ],
}

const en: typeof zh = {
  help: 'Help centre',
  heading: 'How can we help?',
  lead: 'Orders, card codes, top-ups: just write one sentence.',
  ask: 'You can ask',
  promises: [
    ['Your order number is enough', 'With the contact you ordered with we find it at once'],
    ['Codes are for you only', 'Shown once you have proved the order is yours; we never ask for passwords'],
    ['People are near', 'One tap brings a person, who has read everything above'],
  ],
}

export function shopWords(locale: Locale): typeof zh {
  return locale === 'zh' ? zh : en
}
