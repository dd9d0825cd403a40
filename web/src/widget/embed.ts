import { createApp } from 'vue'
import { brandSheet } from './brand'
import { browserWorld } from './browser'
import EmbeddedChat from './components/EmbeddedChat.vue'
import { LANGUAGE, languageOf } from './locales'
import sheet from './styles/embed.css?inline'

/**
 * The embeddable widget:
 * `<script src="https://shop.example/widget.js" defer data-title="…" data-color="#0b7561" data-lang="zh"></script>`
 *
 * Lives in a shadow root: the host page's styles stay out, ours stay in.
 */
function embed(script: HTMLScriptElement): void {
  const { title, color, lang, theme } = script.dataset
  const host = document.createElement('kefu-chat')
  if (theme === 'light' || theme === 'dark')
    host.dataset.theme = theme
  const language = languageOf(lang, navigator.languages)
  host.lang = language.locale === 'zh' ? 'zh-CN' : 'en'
  const root = host.attachShadow({ mode: 'open' })
  dress(root, [sheet, brandSheet(color)])
  const mountPoint = document.createElement('div')
  root.append(mountPoint)
  document.body.append(host)
  createApp(EmbeddedChat, { world: browserWorld(new URL(script.src).origin, language), title: title ?? null })
    .provide(LANGUAGE, language)
    .mount(mountPoint)
}

function dress(root: ShadowRoot, sheets: readonly string[]): void {
  try {
    // A host page's content security policy may forbid <style>, not constructed sheets.
    root.adoptedStyleSheets = sheets.map((text) => {
      const constructed = new CSSStyleSheet()
      constructed.replaceSync(text)
      return constructed
    })
  }
  catch {
    const style = document.createElement('style')
    style.textContent = sheets.join('\n')
    root.append(style)
  }
}

// Only known while the script runs for the first time.
const script = document.currentScript
if (script instanceof HTMLScriptElement && document.querySelector('kefu-chat') === null) {
  if (document.body === null)
    document.addEventListener('DOMContentLoaded', () => embed(script))
  else
    embed(script)
}
