import type { VueWrapper } from '@vue/test-utils'
import type { Chat } from '../composables/useChat'
import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CHAT, useChat } from '../composables/useChat'
import { LANGUAGE, languageOf } from '../locales'
import { FakeShop } from '../testing/fakeShop'
import ChatPanel from './ChatPanel.vue'
import MessageText from './MessageText.vue'

const language = languageOf('zh', [])

describe('a message\'s words', () => {
  const show = (text: string, codes = true) => mount(MessageText, { props: { text, codes }, global: { provide: { [LANGUAGE as symbol]: language } } })

  it('are text, whatever they look like', () => {
    const text = '<img src=x onerror=alert(1)><script>alert(1)</script>'
    const shown = show(text)
    expect(shown.text()).toBe(text)
    expect(shown.find('img, script').exists()).toBe(false)
  })

  it('keep their lines and their spaces', () => {
    expect(show('一  二\n\n三').findAll('p').map(line => line.element.textContent)).toEqual(['一  二', '', '三'])
  })

  it('have links that open elsewhere and tell nothing about this page', () => {
    const link = show('见 https://help.example/a').get('a')
    expect(link.attributes()).toMatchObject({ href: 'https://help.example/a', target: '_blank', rel: 'noopener noreferrer nofollow' })
  })

  it('have codes that a tap copies', async () => {
    const writeText = vi.fn(async () => {})
    vi.stubGlobal('navigator', { clipboard: { writeText } })
    const shown = show('卡密：STAR-7KQ2-M8XD-41VN-9CHT')
    await shown.get('button').trigger('click')
    expect(writeText).toHaveBeenCalledWith('STAR-7KQ2-M8XD-41VN-9CHT')
    await vi.waitFor(() => expect(shown.get('[role=status]').text()).toBe('已复制'))
  })
})

describe('the chat', () => {
  let shop: FakeShop
  let chat: Chat
  let panel: VueWrapper

  beforeEach(async () => {
    shop = new FakeShop()
    chat = useChat(shop.world())
    panel = mount(ChatPanel, {
      props: { title: '星辰点卡' },
      global: { provide: { [LANGUAGE as symbol]: language, [CHAT as symbol]: chat } },
      attachTo: document.body,
    })
    chat.connect()
    await vi.waitFor(() => expect(chat.link.value).toBe('open'))
  })

  afterEach(() => {
    panel.unmount()
    chat.stop()
  })

  const field = () => panel.get('textarea')

  async function write(text: string, key: object = {}): Promise<void> {
    await field().setValue(text)
    await field().trigger('keydown', { key: 'Enter', ...key })
  }

  it('sends on Enter and empties the field', async () => {
    await write('付了款没收到卡密')
    await vi.waitFor(() => expect(shop.stored).toEqual(['付了款没收到卡密']))
    expect((field().element as HTMLTextAreaElement).value).toBe('')
  })

  it('does not send the Enter that picks a word in an input method', async () => {
    await write('nihao', { isComposing: true })
    await write('nihao', { keyCode: 229 })
    expect(chat.timeline.value.entries).toEqual([])
    expect((field().element as HTMLTextAreaElement).value).toBe('nihao')
  })

  it('counts near the limit and does not send beyond it', async () => {
    await field().setValue('好'.repeat(3900))
    expect(panel.text()).toContain('还可输入 100 字')
    await write('😀'.repeat(4001))
    expect(panel.text()).toContain('超出 1 字')
    expect(chat.timeline.value.entries).toEqual([])
  })

  it('offers its welcome until the customer has spoken', async () => {
    const offer = () => panel.get('.kf-replies button')
    await vi.waitFor(() => expect(offer().text()).toBe('查订单'))
    await offer().trigger('click')
    await vi.waitFor(() => expect(shop.socket.sent).toContainEqual(expect.objectContaining({ type: 'press', msg_id: 'welcome', button: 'order_status' })))
    expect(offer().attributes('disabled')).toBeDefined()
  })

  it('always has a way to a person, until one is there', async () => {
    await panel.get('.kf-person').trigger('click')
    await vi.waitFor(() => expect(shop.stored).toEqual(['转人工']))
    shop.socket.say({ type: 'state', state: 'agent', agent: '小林' })
    await vi.waitFor(() => expect(panel.find('.kf-person').exists()).toBe(false))
    expect(panel.text()).toContain('小林 正在为您服务')
  })

  it('says how long the line is', async () => {
    shop.socket.say({ type: 'state', state: 'waiting', position: 3 })
    await vi.waitFor(() => expect(panel.text()).toContain('前面还有 2 位'))
  })

  it('promises a later answer when nobody is there to take the customer', async () => {
    shop.socket.say({ type: 'state', state: 'waiting', position: 1, mode: 'after_hours' })
    await vi.waitFor(() => expect(panel.text()).toContain('客服上线后第一时间回复您'))
  })

  it('says that it is reconnecting, and shows what waits for the network', async () => {
    shop.isDown = true
    shop.socket.break()
    await write('在吗')
    expect(panel.text()).toContain('正在重新连接')
    expect(panel.text()).toContain('等待网络')
  })

  it('shows a refused message with its reason and sends it again when asked', async () => {
    shop.refusals.push({ code: 'too_long' })
    await write('在吗')
    await vi.waitFor(() => expect(panel.get('.kf-msg__failed').text()).toContain('请稍后再试'))
    await panel.get('.kf-msg__failed button').trigger('click')
    await vi.waitFor(() => expect(shop.stored).toEqual(['在吗']))
    expect(panel.find('.kf-msg__failed').exists()).toBe(false)
  })

  it('asks for stars once', async () => {
    shop.say('system', '这次服务您满意吗？', { kind: 'csat' })
    await vi.waitFor(() => expect(panel.find('.kf-rating').exists()).toBe(true))
    await panel.findAll('.kf-rating input')[3]!.setValue()
    await panel.get('.kf-rating textarea').setValue('很快')
    await panel.get('.kf-rating form').trigger('submit')
    await vi.waitFor(() => expect(shop.socket.sent).toContainEqual(expect.objectContaining({ type: 'csat', score: 4, comment: '很快' })))
    expect(panel.get('.kf-rating').text()).toContain('感谢您的评价')
    expect(panel.find('.kf-rating form').exists()).toBe(false)
  })

  it('refuses a picture that is too large before sending anything', async () => {
    const file = new File(['x'], 'big.png', { type: 'image/png' })
    Object.defineProperty(file, 'size', { value: 6 * 1024 * 1024 })
    const picker = panel.get('input[type=file]')
    Object.defineProperty(picker.element, 'files', { value: [file] })
    await picker.trigger('change')
    expect(panel.get('[role=alert]').text()).toBe('图片太大了，请选 5 MB 以内的')
  })
})
