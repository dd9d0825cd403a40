import type { Keep } from './keep'
import type { QuickReply } from './protocol'

/** What the shop tells a page that opens the chat. */
export interface Visit {
  visitor_id: string
  token: string
  shop: { name: string, hours_text: string, open_now: boolean }
  welcome: { text: string, buttons: QuickReply[] }
  limits: { text_chars: number, image_bytes: number }
}

const TIMEOUT_MS = 15_000

/**
 * Who this visitor is: made at the first visit, given back with the token that the browser keeps.
 *
 * @throws TypeError or Error when the server cannot be reached or does not answer with a visit; trying again helps.
 */
export async function visit(origin: string, keep: Keep, locale: 'zh' | 'en', fetcher: typeof fetch): Promise<Visit> {
  const token = keep.get<string>('token')
  const answer = await fetcher(`${origin}/widget/visitor`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(token === null ? { locale } : { token, locale }),
    signal: deadline(TIMEOUT_MS),
  })
  if (!answer.ok)
    throw new Error(`the shop answered ${answer.status}`)
  const found = await answer.json() as Visit
  keep.set('token', found.token)
  return found
}

/** `AbortSignal.timeout` is missing in the web views of older phones. */
function deadline(ms: number): AbortSignal {
  const abort = new AbortController()
  setTimeout(() => abort.abort(), ms)
  return abort.signal
}
