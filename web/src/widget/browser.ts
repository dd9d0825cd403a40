import type { World } from './composables/useChat'
import type { Language } from './locales'
import { browserStore } from './net/keep'

/** The real browser as the chat's world. */
export function browserWorld(origin: string, language: Language): World {
  return {
    origin,
    store: browserStore(),
    language,
    fetch: (...request) => window.fetch(...request),
    openSocket: address => new WebSocket(address),
    now: () => new Date(),
    random: Math.random,
    // Some browsers say "offline" on a working VPN: only the absence is believed, and the next event undoes it.
    isOnline: () => navigator.onLine,
  }
}
