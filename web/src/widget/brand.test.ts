/// <reference types="vite/client" />
import { describe, expect, it } from 'vitest'
import tokens from '../shared/tokens.css?raw'
import { brandSheet, contrast, parseColor } from './brand'

const AA = 4.5

/** The design tokens by block: light first, then dark. */
function blocks(css: string): Map<string, string>[] {
  return css.split(/\n\s*color-scheme:/).slice(1).map(block =>
    new Map(Array.from(block.matchAll(/(--kf-[\w-]+):\s*(#[0-9a-f]{6})/gi), match => [match[1]!, match[2]!] as const)))
}

const readable: [text: string, surfaces: string[]][] = [
  ['--kf-text', ['--kf-canvas', '--kf-surface', '--kf-sunken', '--kf-hover']],
  ['--kf-text-2', ['--kf-canvas', '--kf-surface', '--kf-sunken', '--kf-hover']],
  ['--kf-text-3', ['--kf-canvas', '--kf-surface', '--kf-sunken']],
  ['--kf-on-brand', ['--kf-brand', '--kf-brand-hover', '--kf-brand-press']],
  ['--kf-brand-text', ['--kf-surface', '--kf-canvas', '--kf-brand-soft', '--kf-sunken']],
  ['--kf-accent-text', ['--kf-surface', '--kf-accent-soft']],
  ['--kf-danger-text', ['--kf-surface', '--kf-canvas', '--kf-danger-soft']],
  ['--kf-on-danger', ['--kf-danger', '--kf-danger-hover']],
  ['--kf-info-text', ['--kf-surface', '--kf-info-soft']],
]

describe.each([['by day', 0], ['by night', 1]])('the palette %s', (_when, index) => {
  const palette = blocks(tokens)[index]!
  const color = (name: string) => parseColor(palette.get(name)!)!

  it.each(readable.flatMap(([text, surfaces]) => surfaces.map(surface => [text, surface] as const)))('lets %s be read on %s', (text, surface) => {
    expect(contrast(color(text), color(surface))).toBeGreaterThanOrEqual(AA)
  })
})

it('is the same at night, whether the system or the page asks for it', () => {
  const [, system, page] = blocks(tokens)
  expect(page).toEqual(system)
})

describe('a shop\'s own colour', () => {
  const rgb = (css: string, name: string) => new RegExp(`${name}:rgb\\((\\d+) (\\d+) (\\d+)\\)`).exec(css)!.slice(1).map(Number) as unknown as [number, number, number]

  it.each(['#0b7561', '#ff0', '#ffffff', '#000000', '#e91e63', '#7c3aed', '#f97316'])('%s carries text that can be read', (color) => {
    for (const sheet of brandSheet(color).split('@media')) {
      expect(contrast(rgb(sheet, '--kf-on-brand'), rgb(sheet, '--kf-brand'))).toBeGreaterThanOrEqual(AA)
      expect(contrast(rgb(sheet, '--kf-brand-text'), rgb(sheet, '--kf-brand-soft'))).toBeGreaterThanOrEqual(AA)
    }
  })

  it.each(['', undefined, 'red;}body{display:none', 'rgb(1,2,3)', '#12345'])('that is none (%s) changes nothing', (color) => {
    expect(brandSheet(color)).toBe('')
  })
})
