/** How many avatar colours the style sheet has (`.kc-avatar--0` …). */
const COLOURS = 8

/** The one or two signs on an avatar: 访客 3F2A → 3F, 林小满 → 林, Alice Wong → A. */
export function initialsOf(name: string): string {
  const visitor = /^访客\s*(\S+)/.exec(name)
  const source = (visitor?.[1] ?? name).trim()
  return Array.from(source).slice(0, visitor === null ? 1 : 2).join('').toUpperCase() || '?'
}

/** The same customer always has the same colour. */
export function colourOf(id: string): number {
  let hash = 0
  for (const sign of id)
    hash = (hash * 31 + sign.codePointAt(0)!) >>> 0
  return hash % COLOURS
}
