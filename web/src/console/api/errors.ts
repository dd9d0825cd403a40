/** Why a request came to nothing. `code` is the server's, or one of ours: `network`, `timeout`, `bad_answer`. */
export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(
    /** HTTP status; 0 when there was no answer. */
    readonly status: number,
    readonly code: string,
    /** Ready to be shown; empty for our own codes, which the console words itself. */
    message: string,
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }

  /** Whether the same request may succeed later, unchanged. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 503 || this.status === 502 || this.status === 504
  }

  get retryAfterS(): number | null {
    return typeof this.extra.retry_after_s === 'number' ? this.extra.retry_after_s : null
  }

  /** Who holds the conversation, where a conflict says so. */
  get assignee(): { id: string, name: string } | null {
    const who = this.extra.assignee
    return isRecord(who) && typeof who.id === 'string' && typeof who.name === 'string' ? { id: who.id, name: who.name } : null
  }
}

/** Aborted by ourselves: nobody waits for the answer any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

/** The error that an answer of the server tells. */
export function errorOf(status: number, body: unknown): ApiError {
  const detail = isRecord(body) && isRecord(body.error) ? body.error : {}
  const { code, message, ...extra } = detail
  return new ApiError(
    status,
    typeof code === 'string' ? code : `http_${status}`,
    typeof message === 'string' ? message : '',
    extra,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
