/** The host page's colour as the chat's brand colour, with the shades that go with it. */

type Rgb = readonly [red: number, green: number, blue: number]

const WHITE: Rgb = [255, 255, 255]
const INK: Rgb = [4, 33, 26]
const DARK_SURFACE: Rgb = [21, 28, 26]
/** WCAG 2.2, success criterion 1.4.3: contrast of ordinary text. */
const READABLE = 4.5

export function parseColor(text: string): Rgb | null {
  const hex = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1]
  if (hex === undefined)
    return null
  const full = hex.length === 3 ? Array.from(hex, digit => digit + digit).join('') : hex
  return [0, 2, 4].map(start => Number.parseInt(full.slice(start, start + 2), 16)) as unknown as Rgb
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as unknown as Rgb
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** From 1 (the same) to 21 (black on white). Source: WCAG 2.2, "contrast ratio". */
export function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function mix(color: Rgb, other: Rgb, share: number): Rgb {
  return color.map((part, index) => Math.round(part * (1 - share) + other[index]! * share)) as unknown as Rgb
}

/** The colour, moved towards another until it can be read on a surface. */
function readable(color: Rgb, surface: Rgb, towards: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const tried = mix(color, towards, share)
    if (contrast(tried, surface) >= READABLE)
      return tried
  }
  return towards
}

const css = (color: Rgb): string => `rgb(${color.join(' ')})`

function shades(brand: Rgb, surface: Rgb, away: Rgb): string {
  const onBrand = contrast(brand, WHITE) >= READABLE || contrast(brand, WHITE) > contrast(brand, INK) ? WHITE : INK
  const ground = readable(brand, onBrand, onBrand === WHITE ? INK : WHITE)
  const soft = mix(surface, brand, 0.12)
  return [
    `--kf-brand:${css(ground)}`,
    `--kf-brand-hover:${css(mix(ground, away, 0.1))}`,
    `--kf-brand-press:${css(mix(ground, away, 0.2))}`,
    `--kf-on-brand:${css(onBrand)}`,
    `--kf-brand-text:${css(readable(brand, soft, away))}`,
    `--kf-brand-soft:${css(soft)}`,
    `--kf-brand-line:${css(mix(surface, brand, 0.35))}`,
  ].join(';')
}

/** A style sheet that makes a colour the brand's, by day and by night; empty for what is no colour. */
export function brandSheet(text: string | null | undefined): string {
  const brand = parseColor(text ?? '')
  if (brand === null)
    return ''
  const light = shades(brand, WHITE, INK)
  const dark = shades(mix(brand, WHITE, 0.15), DARK_SURFACE, WHITE)
  return `:host{${light}}@media (prefers-color-scheme:dark){:host(:not([data-theme="light"])){${dark}}}:host([data-theme="dark"]){${dark}}`
}
