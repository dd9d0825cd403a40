import { useEventListener } from '@vueuse/core'
import { onScopeDispose, ref } from 'vue'

/** Two notes up for somebody who waits; one soft note for a message. Frequencies in Hz. */
const TUNES = { call: [784, 1047], message: [880] } as const
const NOTE_S = 0.16

/** Sounds made in the browser. It allows them only after the page was clicked or typed in: `isBlocked` until then. */
export function useChime() {
  const isBlocked = ref(true)
  let context: AudioContext | null = null

  function unlock(): void {
    if (typeof AudioContext === 'undefined')
      return
    context ??= new AudioContext()
    void context.resume().then(() => {
      isBlocked.value = context?.state !== 'running'
    }, () => {})
  }

  useEventListener(window, ['pointerdown', 'keydown'], unlock)
  onScopeDispose(() => void context?.close())

  return {
    isBlocked,
    unlock,
    play(tune: keyof typeof TUNES): void {
      if (context === null || context.state !== 'running')
        return
      const start = context.currentTime + 0.02
      for (const [index, frequency] of TUNES[tune].entries()) {
        const oscillator = new OscillatorNode(context, { type: 'sine', frequency })
        const gain = new GainNode(context, { gain: 0 })
        const from = start + index * NOTE_S
        gain.gain.setValueAtTime(0, from)
        gain.gain.linearRampToValueAtTime(tune === 'call' ? 0.22 : 0.1, from + 0.015)
        gain.gain.exponentialRampToValueAtTime(0.0001, from + NOTE_S * 2.4)
        oscillator.connect(gain).connect(context.destination)
        oscillator.start(from)
        oscillator.stop(from + NOTE_S * 2.5)
      }
    },
  }
}

export type Chime = ReturnType<typeof useChime>
