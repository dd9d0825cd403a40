/**
 * Make an action that is never done twice at once for the same id; asked for meanwhile, it is done once more afterwards.
 *
 * So the last answer that is taken in is never older than the last wish.
 */
export function oneAtATime(act: (id: string) => Promise<void>): (id: string) => Promise<void> {
  /** By id: whether it was asked for again. */
  const running = new Map<string, boolean>()
  return async (id) => {
    if (running.has(id)) {
      running.set(id, true)
      return
    }
    try {
      do {
        running.set(id, false)
        await act(id)
      } while (running.get(id) === true)
    }
    finally {
      running.delete(id)
    }
  }
}
