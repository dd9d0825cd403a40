import { ApiError, errorOf } from './errors'

export interface ClientOptions {
  /** Where the API begins, without a slash at the end. */
  base: string
  fetch: typeof fetch
  /** A request found that nobody is logged in any more. */
  onLoggedOut: () => void
  /** The server's own time, as its answers tell it. */
  onServerTime: (at: Date) => void
}

export interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  signal?: AbortSignal | undefined
  timeoutMs?: number
}

const TIMEOUT_MS = 15_000
const SESSION = '/session'

/** Asks the API: JSON in and out, CSRF token where something changes, one error class for whatever fails. */
export class Client {
  csrfToken = ''

  constructor(private readonly options: ClientOptions) {}

  async ask<T>(path: string, { method = 'GET', body, signal, timeoutMs = TIMEOUT_MS }: Request = {}): Promise<T> {
    const deadline = AbortSignal.timeout(timeoutMs)
    const response = await this.#fetch(path, {
      method,
      headers: this.#headers(method, body),
      credentials: 'same-origin',
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    }, signal)
    this.#tellTime(response)
    if (response.status === 204)
      return undefined as T
    const answer: unknown = await response.json().catch(() => undefined)
    if (!response.ok) {
      // asking who is logged in is answered by a 401 as well: that is no surprise
      if (response.status === 401 && path !== SESSION)
        this.options.onLoggedOut()
      throw errorOf(response.status, answer)
    }
    if (answer === undefined)
      throw new ApiError(response.status, 'bad_answer', '')
    return answer as T
  }

  async #fetch(path: string, request: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    try {
      return await this.options.fetch(this.options.base + path, request)
    }
    catch (error) {
      if (signal?.aborted === true)
        throw new DOMException('aborted', 'AbortError')
      const isLate = error instanceof DOMException && error.name === 'TimeoutError'
      throw new ApiError(0, isLate ? 'timeout' : 'network', '')
    }
  }

  #headers(method: string, body: unknown): Record<string, string> {
    return {
      ...(method === 'GET' ? {} : { 'X-CSRF-Token': this.csrfToken }),
      ...(body === undefined || body instanceof FormData ? {} : { 'Content-Type': 'application/json' }),
    }
  }

  #tellTime(response: Response): void {
    const at = new Date(response.headers.get('Date') ?? '')
    if (!Number.isNaN(at.getTime()))
      this.options.onServerTime(at)
  }
}
