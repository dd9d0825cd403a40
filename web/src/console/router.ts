import type { Router, RouterHistory } from 'vue-router'
import type { SessionStore } from './composables/useSession'
import { createRouter } from 'vue-router'
import { VIEWS } from './model/rows'
import { destination } from './router-paths'
import ChannelsView from './views/ChannelsView.vue'
import InboxView from './views/InboxView.vue'
import LoginView from './views/LoginView.vue'

export function createConsoleRouter(history: RouterHistory, session: SessionStore): Router {
  const router = createRouter({
    history,
    routes: [
      { path: '/login', name: 'login', component: LoginView },
      { path: `/:view(${VIEWS.join('|')})/:id(\\w+)?/:panel(customer)?`, name: 'inbox', component: InboxView },
      { path: '/channels', name: 'channels', component: ChannelsView },
      { path: '/:rest(.*)*', redirect: '/queue' },
    ],
  })
  router.beforeEach((to) => {
    // Not yet asked: nothing is shown until it is, and then `App` sends everybody to the right place.
    if (session.state.value === 'unknown')
      return true
    const isIn = session.state.value === 'in'
    if (to.name === 'login')
      return isIn ? destination(to.query.to) : true
    return isIn ? true : { name: 'login', query: to.path === '/queue' ? {} : { to: to.fullPath } }
  })
  return router
}
