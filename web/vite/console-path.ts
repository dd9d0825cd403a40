import type { Plugin } from 'vite'

/**
 * Serve the console at `/console` (and every path below it) in development, as kefu does.
 *
 * The built `console.html` names its assets absolutely (`/assets/…`), so nothing more is needed there.
 */
export function consolePath(): Plugin {
  return {
    name: 'kefu-console-path',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        if (request.url !== undefined && /^\/console(?:[/?]|$)/.test(request.url))
          request.url = '/console.html'
        next()
      })
    },
  }
}
