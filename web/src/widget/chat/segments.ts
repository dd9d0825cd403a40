/** A stretch of a message: plain words, a link, or a code that one wants to copy. */
export type Segment = { type: 'text' | 'code', text: string } | { type: 'link', text: string, href: string }

const LINK = /https?:\/\/[^\s<>"'“”‘’（）()【】《》，。；！？、]+/gi

// Groups of letters and digits ("STAR-7KQ2-M8XD"), or one run. No look-behind: Safari before 16.4 would refuse the
// whole script.
const RUN = /[A-Z0-9]+(?:-[A-Z0-9]+)*/gi

/** Shortest code worth a copy button, without its dashes. */
const SHORTEST = 8
/** Figures alone are a code only when longer than a telephone or QQ number. */
const SHORTEST_FIGURES = 12

/** Card secrets and order numbers, as against words, dates, prices and numbers. */
function isCode(run: string): boolean {
  const bare = run.replaceAll('-', '')
  if (/^\d+$/.test(bare))
    return bare.length >= SHORTEST_FIGURES
  const figures = bare.replace(/\D/g, '').length
  if (!/[a-z]/.test(run))
    return figures > 0 && bare.length >= SHORTEST
  // Lower case is found in words too ("iPhone15ProMax", "covid-19-2024"), hence more figures and no dash.
  return figures * 4 >= bare.length && bare.length >= SHORTEST_FIGURES && !run.includes('-')
}

function safeHref(text: string): string | null {
  try {
    const url = new URL(text)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null
  }
  catch {
    return null
  }
}

/** Cut one line into its parts; joined, their texts are the line again. */
export function segments(line: string, { codes }: { codes: boolean }): Segment[] {
  const parts: Segment[] = []
  let end = 0
  for (const match of line.matchAll(LINK)) {
    const text = match[0].replace(/[.,;:!?]+$/, '')
    const href = safeHref(text)
    if (href === null)
      continue
    parts.push(...words(line.slice(end, match.index), codes), { type: 'link', text, href })
    end = match.index + text.length
  }
  return [...parts, ...words(line.slice(end), codes)]
}

function words(text: string, codes: boolean): Segment[] {
  const parts: Segment[] = []
  let end = 0
  for (const match of codes ? text.matchAll(RUN) : []) {
    // A masked secret ("STAR-****-9CHT") is no code, nor is a part of an address ("a1b2c3d4e5f6@…").
    const around = `${text[match.index - 1] ?? ''}${text[match.index + match[0].length] ?? ''}`
    if (!isCode(match[0]) || /[*•@._/\-]/.test(around))
      continue
    if (match.index > end)
      parts.push({ type: 'text', text: text.slice(end, match.index) })
    parts.push({ type: 'code', text: match[0] })
    end = match.index + match[0].length
  }
  return end < text.length ? [...parts, { type: 'text', text: text.slice(end) }] : parts
}

/** Most letters that a label before a code may have, for the line to be shown as a card ("卡密：", "1. 账号"). */
const LABEL = 14

/** The code of a line that holds little else, with the words before it; `null` for ordinary lines. */
export function cardLine(line: readonly Segment[]): { label: string, code: string } | null {
  const [first, second, third] = line
  if (first?.type === 'code' && second === undefined)
    return { label: '', code: first.text }
  if (first?.type === 'text' && first.text.length <= LABEL && /[:：.、\s]$/.test(first.text) && second?.type === 'code' && third === undefined)
    return { label: first.text.replace(/[:：\s]+$/, ''), code: second.text }
  return null
}
