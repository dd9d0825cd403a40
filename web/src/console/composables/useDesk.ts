import type { InjectionKey } from 'vue'
import type { Api } from '../api/api'
import type { Actions } from './useActions'
import type { Channels } from './useChannels'
import type { Clock } from './useClock'
import type { Colleagues } from './useColleagues'
import type { Conversations } from './useConversations'
import type { Customer } from './useCustomer'
import type { Drafts } from './useDrafts'
import type { Outbox } from './useOutbox'
import type { Reveals } from './useReveals'
import type { SessionStore } from './useSession'
import type { Thread } from './useThread'
import type { Toasts } from './useToasts'
import type { Typing } from './useTyping'
import type { Uploads } from './useUploads'
import { inject } from 'vue'

/** What lives as long as the page, made once in `main.ts`. */
export interface World {
  api: Api
  session: SessionStore
  clock: Clock
  toasts: Toasts
  /** Where the live feed is. */
  liveAddress: string
}

/** What lives as long as a login; made by the inbox, used by what it shows. */
export interface Desk {
  me: () => string
  conversations: Conversations
  thread: Thread
  customer: Customer
  channels: Channels
  colleagues: Colleagues
  drafts: Drafts
  outbox: Outbox
  uploads: Uploads
  reveals: Reveals
  actions: Actions
  typing: Typing
}

export const WORLD: InjectionKey<World> = Symbol('world')
export const DESK: InjectionKey<Desk> = Symbol('desk')

function given<T>(key: InjectionKey<T>): T {
  const value = inject(key)
  if (value === undefined)
    throw new Error(`nothing was provided for ${String(key)}`)
  return value
}

export const useWorld = (): World => given(WORLD)
export const useDesk = (): Desk => given(DESK)
