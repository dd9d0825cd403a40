import type { EventOut, LiveFrame, Row } from '../api/types'
import type { FrameHandler } from '../composables/useLive'

/** Requests that the test answers, in whatever order it likes. */
export class Requests<T> {
  readonly asked: unknown[][] = []
  readonly #waiting: { resolve: (answer: T) => void, reject: (error: unknown) => void }[] = []

  readonly ask = (...about: unknown[]): Promise<T> => {
    this.asked.push(about)
    return new Promise<T>((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Answer the request at `place`, counted from the first that was ever asked. */
  async answer(place: number, answer: T): Promise<void> {
    this.#waiting[place]!.resolve(answer)
    await settled()
  }

  async fail(place: number, error: unknown = new Error('no answer')): Promise<void> {
    this.#waiting[place]!.reject(error)
    await settled()
  }
}

/** The live feed in the test's hands. */
export class FakeLive {
  readonly #handlers = new Set<FrameHandler>()
  readonly onFrame = (handle: FrameHandler): void => void this.#handlers.add(handle)

  say(frame: LiveFrame): void {
    this.#handlers.forEach(handle => handle(frame))
  }

  update(events: EventOut[], conversations: Row[] = [], counts = { queue: 0, mine: 0, bot: 0 }): void {
    this.say({ type: 'update', cursor: 1, conversations, events, counts })
  }
}

/** Until everything that is waited for has gone on; works with fake timers. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++)
    await Promise.resolve()
}
