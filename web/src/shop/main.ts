import { createApp } from 'vue'
import { browserWorld } from '../widget/browser'
import { LANGUAGE, languageOf } from '../widget/locales'
import ShopPage from './ShopPage.vue'
import '../shared/tokens.css'
import '../widget/styles/chat.css'
import './shop.css'

const language = languageOf(new URLSearchParams(location.search).get('lang'), navigator.languages)
document.documentElement.lang = language.locale === 'zh' ? 'zh-CN' : 'en'

createApp(ShopPage, { world: browserWorld(location.origin, language) })
  .provide(LANGUAGE, language)
  .mount('#app')
