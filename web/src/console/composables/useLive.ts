import type { Link } from '../api/live-socket'
import type { LiveFrame } from '../api/types'
import { onScopeDispose, ref } from 'vue'
import { createLiveSocket } from '../api/live-socket'

export type FrameHandler = (frame: LiveFrame) => void

/** The live feed, from now until the scope ends: its frames, in order, and whether the line stands. */
export function useLive({ address, open, random }: { address: string, open: (address: string) => WebSocket, random: () => number }) {
  const link = ref<Link>('idle')
  const handlers = new Set<FrameHandler>()
  const socket = createLiveSocket({
    address,
    open,
    random,
    onLink: (next) => { link.value = next },
    onFrame: frame => [...handlers].forEach(handle => handle(frame)),
  })

  const wake = (): void => socket.wake()
  const wakeIfVisible = (): void => {
    document.visibilityState === 'visible' && socket.wake()
  }
  window.addEventListener('online', wake)
  window.addEventListener('offline', wake)
  window.addEventListener('focus', wake)
  document.addEventListener('visibilitychange', wakeIfVisible)
  onScopeDispose(() => {
    window.removeEventListener('online', wake)
    window.removeEventListener('offline', wake)
    window.removeEventListener('focus', wake)
    document.removeEventListener('visibilitychange', wakeIfVisible)
    socket.stop()
  })

  return {
    link,
    start: () => socket.start(),
    wake,
    onFrame(handle: FrameHandler): void {
      handlers.add(handle)
      onScopeDispose(() => handlers.delete(handle))
    },
  }
}

export type Live = ReturnType<typeof useLive>
