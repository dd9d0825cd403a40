import type { SecretOut } from '../api/types'

/** A stretch of a message. Every one becomes a text node or an attribute; nothing is ever markup. */
export type Part
  = | { type: 'text', text: string }
    | { type: 'link', text: string, href: string }
    | { type: 'secret', secret: SecretOut }

const PLACEHOLDER = /\{\{secret:(\w+)\}\}/g
const LINK = /https?:\/\/[^\s<>"'“”‘’（）()【】《》，。；！？、]+/gi

/** Cut a message's text into words, links and sealed values. A placeholder without its secret stays as it is typed. */
export function partsOf(text: string, secrets: readonly SecretOut[]): Part[] {
  const byId = new Map(secrets.map(secret => [secret.id, secret]))
  const parts: Part[] = []
  let end = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    const secret = byId.get(match[1] ?? '')
    if (secret === undefined)
      continue
    parts.push(...linked(text.slice(end, match.index)), { type: 'secret', secret })
    end = match.index + match[0].length
  }
  return [...parts, ...linked(text.slice(end))]
}

function linked(text: string): Part[] {
  const parts: Part[] = []
  let end = 0
  for (const match of text.matchAll(LINK)) {
    const href = match[0].replace(/[.,;:!?]+$/, '')
    if (!URL.canParse(href))
      continue
    if (match.index > end)
      parts.push({ type: 'text', text: text.slice(end, match.index) })
    parts.push({ type: 'link', text: href, href })
    end = match.index + href.length
  }
  return end < text.length ? [...parts, { type: 'text', text: text.slice(end) }] : parts
}
