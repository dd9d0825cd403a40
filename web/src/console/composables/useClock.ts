import type { Ref } from 'vue'
import { useIntervalFn } from '@vueuse/core'
import { readonly, ref } from 'vue'

export interface Clock {
  /** The server's time as far as we know it, in ms; ticks once a second, one timer for the whole console. */
  now: Readonly<Ref<number>>
  /** The server told its time, to the second. */
  sync: (server: Date) => void
}

/** Smaller differences are the answer's way and the rounding to a second. */
const TOLERATED_MS = 2_000

/** A clock that ticks until its scope ends, if it has one. Corrected by the server's: on a wrong laptop a waiting time must not be. */
export function createClock(systemNow: () => number = Date.now): Clock {
  let offsetMs = 0
  const now = ref(systemNow())
  const tick = (): void => {
    now.value = systemNow() + offsetMs
  }
  useIntervalFn(tick, 1000)
  return {
    now: readonly(now),
    sync(server) {
      const difference = server.getTime() - systemNow()
      offsetMs = Math.abs(difference) > TOLERATED_MS ? difference : 0
      tick()
    },
  }
}
