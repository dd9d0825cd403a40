import type { InjectionKey, ShallowRef } from 'vue'
import type { Outgoing } from '../chat/outbox'
import type { Timeline } from '../chat/timeline'
import type { Language } from '../locales'
import type { Link } from '../net/connection'
import type { Store } from '../net/keep'
import type { ErrorFrame, MessageFrame, ServerFrame } from '../net/protocol'
import type { Visit } from '../net/visitor'
import { uuid } from '@shared/ids'
import { useTimeoutFn } from '@vueuse/core'
import { computed, inject, ref, shallowRef } from 'vue'
import { Outbox } from '../chat/outbox'
import { Sender } from '../chat/sender'
import { acknowledged, amended, emptyTimeline, greeted, historyMerged, oldestSeq, ownedBy, received, starWords, turned, withdrawn, written } from '../chat/timeline'
import { createConnection } from '../net/connection'
import { Keep } from '../net/keep'
import { visit } from '../net/visitor'
import { useUploads } from './useUploads'

/** What the chat needs of the browser; tests bring their own. */
export interface World {
  /** Where kefu is, e.g. `https://shop.example`. */
  origin: string
  store: Store
  language: Language
  fetch: typeof fetch
  openSocket: (address: string) => WebSocket
  now: () => Date
  random: () => number
  isOnline: () => boolean
}

const TYPING_SHOWN_MS = 12_000
const TYPING_TOLD_EVERY_MS = 4_000
const NOTICE_SHOWN_MS = 6_000
/** The welcome is no stored message; its buttons are named by this. */
export const WELCOME = 'welcome'

/** One conversation with the shop, from connecting to rating: all that the chat's components show and do. */
export function useChat(world: World) {
  const keep = new Keep(world.store, `kefu:${world.origin}:`)
  const outbox = new Outbox(keep, world.now)
  const timeline: ShallowRef<Timeline> = shallowRef(emptyTimeline())
  const link = ref<Link>('idle')
  const shop = shallowRef<Visit | null>(null)
  const typing = ref<'bot' | 'agent' | null>(null)
  const isLoadingEarlier = ref(false)
  /** A refusal that belongs to no message. */
  const notice = ref<string | null>(null)
  const wasOpen = ref(false)
  const round = ref(0)
  const arrivalListeners = new Set<(message: MessageFrame) => void>()
  const typingEnds = useTimeoutFn(() => typing.value = null, TYPING_SHOWN_MS, { immediate: false })
  const noticeEnds = useTimeoutFn(() => notice.value = null, NOTICE_SHOWN_MS, { immediate: false })
  let toldTypingAt = 0
  /** The highest number that the server held when it greeted. */
  let toldSeq = 0

  // eslint-disable-next-line ts/no-use-before-define -- line and sender know each other; neither acts before both are here
  const onLinkLost = (): void => sender.disconnected()

  const connection = createConnection({
    address: async (renew) => {
      if (shop.value === null || renew)
        shop.value = await visit(world.origin, keep, world.language.locale, world.fetch)
      timeline.value = ownedBy(timeline.value, shop.value.visitor_id)
      const query = new URLSearchParams({ token: shop.value.token, last_seq: String(timeline.value.lastSeq) })
      return `${world.origin.replace(/^http/, 'ws')}/widget/ws?${query}`
    },
    open: world.openSocket,
    random: world.random,
    isOnline: world.isOnline,
    onFrame: take,
    onLink: (now) => {
      link.value = now
      if (now === 'open') {
        wasOpen.value = true
        catchUp()
      }
      else {
        onLinkLost()
        isLoadingEarlier.value = false
        showTyping(null)
      }
    },
  })
  const sender = new Sender({
    outbox,
    send: frame => connection.send(frame),
    onSilence: () => connection.restart(),
    onFailed: failed,
  })
  const uploads = useUploads({
    origin: world.origin,
    token: () => shop.value?.token ?? '',
    limitBytes: () => shop.value?.limits.image_bytes ?? 5 * 1024 * 1024,
    language: world.language,
    onUploaded: (clientId, text, attachment) => {
      change(amended(timeline.value, clientId, { attachments: [attachment] }))
      post({ clientId, at: world.now().toISOString(), act: { type: 'msg', text, attachment } })
    },
    onFailed: (clientId, problem) => change(amended(timeline.value, clientId, { delivery: 'failed', problem })),
  })

  for (const act of outbox.acts)
    show(act)

  function change(next: Timeline): void {
    timeline.value = next
  }

  function take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'hello':
        toldSeq = frame.last_seq
        return change(greeted(timeline.value, frame))
      case 'msg':
        return takeMessage(frame)
      case 'ack':
        change(acknowledged(timeline.value, frame))
        sender.settled(frame.client_id)
        return
      case 'state':
        return change(turned(timeline.value, frame))
      case 'history':
        isLoadingEarlier.value = false
        return change(historyMerged(timeline.value, frame))
      case 'typing':
        return showTyping(frame.on ? frame.author : null)
      case 'error':
        return takeError(frame)
    }
  }

  function takeMessage(frame: MessageFrame): void {
    const isNew = frame.seq > timeline.value.lastSeq
    change(received(timeline.value, frame))
    if (frame.client_id !== undefined)
      sender.settled(frame.client_id)
    if (frame.author === 'bot' || frame.author === 'agent')
      showTyping(null)
    if (isNew && frame.author !== 'customer')
      arrivalListeners.forEach(listener => listener(frame))
  }

  function takeError(error: ErrorFrame): void {
    if (!sender.refused(error))
      tell(error.text)
  }

  function failed({ clientId, act }: Outgoing, text: string): void {
    if (act.type !== 'csat') {
      change(amended(timeline.value, clientId, { delivery: 'failed', problem: text }))
      return
    }
    // Stars have no bubble to stand under: say why, and let the customer give them again.
    tell(text)
    sender.settled(clientId)
    change(withdrawn(timeline.value, clientId))
  }

  function catchUp(): void {
    const { hasMore, lastSeq } = timeline.value
    // A server with older data has made us forget everything, and repeats nothing: read it from its end.
    if (hasMore && lastSeq === toldSeq && oldestSeq(timeline.value) === null)
      connection.send({ type: 'history', before: lastSeq + 1 })
    sender.flush()
  }

  function showTyping(who: 'bot' | 'agent' | null): void {
    typing.value = who
    if (who === null)
      typingEnds.stop()
    else
      typingEnds.start()
  }

  function tell(text: string): void {
    notice.value = text
    noticeEnds.start()
  }

  function show({ clientId, at, act }: Outgoing): void {
    switch (act.type) {
      case 'msg':
        return change(written(timeline.value, { clientId, at, text: act.text, attachments: act.attachment === null ? [] : [act.attachment] }))
      case 'press':
        return change(written(timeline.value, { clientId, at, text: act.label }))
      case 'csat':
        return change(written(timeline.value, { clientId, at, text: starWords(act.score, act.comment), kind: 'csat' }))
    }
  }

  function post(act: Outgoing): void {
    show(act)
    outbox.add(act)
    sender.flush()
  }

  function act(what: Outgoing['act']): void {
    post({ clientId: uuid(), at: world.now().toISOString(), act: what })
  }

  return {
    timeline,
    link,
    shop,
    typing,
    notice,
    isLoadingEarlier,
    uploads,
    origin: world.origin,
    keep,
    now: world.now,
    /** The line was open once and is not now: say so. Before that the page is merely loading. */
    isCutOff: computed(() => link.value === 'offline' || (wasOpen.value && link.value !== 'open' && link.value !== 'idle') || link.value === 'lost'),

    connect: () => connection.start(),
    wake: () => connection.wake(),
    sleep: () => connection.sleep(),
    stop: () => connection.stop(),

    /** There is something of the customer's here that a stranger at this device could read. */
    isKnown: computed(() => timeline.value.entries.length > 0),
    /** Grows when everything is forgotten: what was being written goes too. */
    round,

    /** Keep nothing of this customer on this device: not the token, not what waits to be sent; start as a stranger. */
    forget(): void {
      connection.stop()
      timeline.value.entries.forEach(entry => entry.clientId !== null && uploads.remove(entry.clientId))
      outbox.acts.forEach(one => sender.settled(one.clientId))
      keep.names('').forEach(name => keep.remove(name))
      shop.value = null
      wasOpen.value = false
      showTyping(null)
      change(emptyTimeline())
      round.value += 1
      connection.start()
    },

    /** Hear of each new message that is not the customer's own; gives back the way to stop hearing. */
    onArrival(listener: (message: MessageFrame) => void): () => void {
      arrivalListeners.add(listener)
      return () => arrivalListeners.delete(listener)
    },

    sendText(text: string): void {
      const said = text.trim()
      if (said !== '')
        act({ type: 'msg', text: said, attachment: null })
    },

    /** Show an image at once, upload it, then send it with its words; a refusal stands under the bubble. */
    sendImage(file: File, text: string): void {
      const clientId = uuid()
      const preview = uploads.add(clientId, file, text.trim())
      change(written(timeline.value, { clientId, at: world.now().toISOString(), text: text.trim(), attachments: [preview] }))
    },

    press(messageId: string, button: { id: string, label: string }): void {
      act({ type: 'press', messageId, button: button.id, label: button.label })
    },

    rate(messageId: string, score: number, comment: string): void {
      act({ type: 'csat', messageId, score, comment: comment.trim() })
    },

    retry(clientId: string): void {
      change(amended(timeline.value, clientId, { delivery: 'sending', problem: null }))
      if (!uploads.retry(clientId))
        sender.retry(clientId)
    },

    discard(clientId: string): void {
      uploads.remove(clientId)
      sender.settled(clientId)
      change(withdrawn(timeline.value, clientId))
    },

    loadEarlier(): void {
      const before = oldestSeq(timeline.value)
      if (before !== null && timeline.value.hasMore && !isLoadingEarlier.value)
        isLoadingEarlier.value = connection.send({ type: 'history', before })
    },

    /** The customer is typing; told to a person only, and not at every key. */
    tellTyping(): void {
      const now = world.now().getTime()
      if (timeline.value.state !== 'agent' || now - toldTypingAt < TYPING_TOLD_EVERY_MS)
        return
      toldTypingAt = now
      connection.send({ type: 'typing' })
    },

    tell,
  }
}

export type Chat = ReturnType<typeof useChat>

export const CHAT: InjectionKey<Chat> = Symbol('chat')

export function useInjectedChat(): Chat {
  const chat = inject(CHAT)
  if (chat === undefined)
    throw new Error('no chat was provided')
  return chat
}
