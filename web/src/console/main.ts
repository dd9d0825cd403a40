import { createApp, watch } from 'vue'
import { createWebHistory } from 'vue-router'
import { createApi } from './api/api'
import { Client } from './api/client'
import App from './App.vue'
import { createClock } from './composables/useClock'
import { WORLD } from './composables/useDesk'
import { usePreference } from './composables/usePreference'
import { createSession } from './composables/useSession'
import { createToasts } from './composables/useToasts'
import { createWords, LOCALES, preferredLocale } from './locales'
import { createConsoleRouter } from './router'
import '../shared/tokens.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'

const BASE = '/api/v1'
const app = createApp(App)

const clock = createClock()
const client = new Client({ base: BASE, fetch: (...args) => fetch(...args), onServerTime: at => clock.sync(at) })
const api = createApi(client)
const session = createSession(api)
client.onLoggedOut = () => session.expired()

const locale = usePreference('locale', LOCALES, preferredLocale(navigator.languages))
const words = createWords(locale.value)
watch(words.global.locale, (next) => {
  locale.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}, { immediate: true })

app.provide(WORLD, { api, session, clock, toasts: createToasts(), liveAddress: `${location.origin.replace(/^http/, 'ws')}${BASE}/live` })
app.use(words)
app.use(createConsoleRouter(createWebHistory('/console'), session))
app.mount('#app')
