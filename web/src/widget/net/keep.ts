/** What this module needs of `localStorage`. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

/** Forgets with the page. */
export class MemoryStore implements Store {
  readonly #items = new Map<string, string>()
  get length() { return this.#items.size }
  getItem(key: string) { return this.#items.get(key) ?? null }
  setItem(key: string, value: string) { this.#items.set(key, value) }
  removeItem(key: string) { this.#items.delete(key) }
  key(index: number) { return [...this.#items.keys()][index] ?? null }
}

/** The browser's storage, or one that forgets: private windows and blocked cookies make `localStorage` throw. */
export function browserStore(): Store {
  try {
    const probe = 'kefu:probe'
    window.localStorage.setItem(probe, '1')
    window.localStorage.removeItem(probe)
    return window.localStorage
  }
  catch {
    return new MemoryStore()
  }
}

/** Small values kept under one prefix; a full store loses the value, never the page. */
export class Keep {
  constructor(private readonly store: Store, private readonly prefix: string) {}

  get<T>(name: string): T | null {
    const text = this.store.getItem(this.prefix + name)
    if (text === null)
      return null
    try {
      return JSON.parse(text) as T
    }
    catch {
      return null
    }
  }

  set(name: string, value: unknown): void {
    try {
      this.store.setItem(this.prefix + name, JSON.stringify(value))
    }
    catch {
      // Full or forbidden: this page works on, only a reload forgets.
    }
  }

  remove(name: string): void {
    this.store.removeItem(this.prefix + name)
  }

  /** Names (without the prefix) that start with `start`. */
  names(start: string): string[] {
    const found: string[] = []
    for (let index = 0; index < this.store.length; index++) {
      const key = this.store.key(index)
      if (key?.startsWith(this.prefix + start))
        found.push(key.slice(this.prefix.length))
    }
    return found
  }
}
