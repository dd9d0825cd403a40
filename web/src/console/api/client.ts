import { ApiError, errorOf } from './errors'

export interface ClientOptions {
  /** Where the API begins, without a slash at the end. */
  base: string
  fetch: typeof fetch
  /** The server's clock, to the second, with every answer. */
  onServerTime: (at: Date) => void
}

export interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  signal?: AbortSignal | undefined
  timeoutMs?: number
}

const TIMEOUT_MS = 15_000
const SESSION = '/session'

/** Speaks JSON with the server: carries the CSRF token, ends what takes too long, makes every failure an `ApiError`. */
export class Client {
  csrfToken = ''
  /** A request that needs a login had none; not called for `/session`, where that is an answer like others. */
  onLoggedOut: () => void = () => {}

  constructor(private readonly options: ClientOptions) {}

  /**
   * Ask, and read the answer as the contract promises it.
   *
   * @throws ApiError the server refused, did not answer in time, or answered what is no JSON.
   * @throws DOMException `AbortError`, when `signal` was aborted.
   */
  async ask<T>(path: string, ask: Ask = {}): Promise<T> {
    try {
      return await this.#once<T>(path, ask)
    }
    catch (error) {
      // A login in another tab has changed the token: fetched anew, once.
      if (error instanceof ApiError && error.code === 'csrf' && await this.#renewToken())
        return this.#once<T>(path, ask)
      throw error
    }
  }

  async #once<T>(path: string, { method = 'GET', body, signal, timeoutMs = TIMEOUT_MS }: Ask): Promise<T> {
    const response = await this.#fetch(path, method, body, signal, timeoutMs)
    const at = new Date(response.headers.get('Date') ?? '')
    if (!Number.isNaN(at.getTime()))
      this.options.onServerTime(at)
    const answer: unknown = response.status === 204 ? null : await response.json().catch(() => undefined)
    if (signal?.aborted === true)
      throw aborted()
    if (!response.ok) {
      if (response.status === 401 && path !== SESSION)
        this.onLoggedOut()
      throw errorOf(response.status, answer)
    }
    if (answer === undefined)
      throw new ApiError(response.status, 'bad_answer', '')
    return answer as T
  }

  async #fetch(path: string, method: string, body: unknown, signal: AbortSignal | undefined, timeoutMs: number): Promise<Response> {
    // Not `AbortSignal.any` and `.timeout`: browsers that agents still use (Safari 16) lack them.
    const abort = new AbortController()
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      abort.abort()
    }, timeoutMs)
    const forward = (): void => abort.abort()
    signal?.addEventListener('abort', forward, { once: true })
    try {
      if (signal?.aborted === true)
        throw aborted()
      return await this.options.fetch(this.options.base + path, {
        method,
        headers: this.#headers(method, body),
        credentials: 'same-origin',
        signal: abort.signal,
        ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
      })
    }
    catch {
      if (signal?.aborted === true)
        throw aborted()
      throw new ApiError(0, isLate ? 'timeout' : 'network', '')
    }
    finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', forward)
    }
  }

  #headers(method: string, body: unknown): Record<string, string> {
    return {
      ...(method === 'GET' ? {} : { 'X-CSRF-Token': this.csrfToken }),
      ...(body === undefined || body instanceof FormData ? {} : { 'Content-Type': 'application/json' }),
    }
  }

  async #renewToken(): Promise<boolean> {
    try {
      this.csrfToken = (await this.#once<{ csrf_token: string }>(SESSION, {})).csrf_token
      return true
    }
    catch {
      return false
    }
  }
}

function aborted(): DOMException {
  return new DOMException('aborted', 'AbortError')
}
