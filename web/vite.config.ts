import process from 'node:process'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { consolePath } from './vite/console-path.ts'

// Where a running `kefu run` answers, for `npm run dev`.
const server = process.env.KEFU_DEV_SERVER ?? 'http://127.0.0.1:8000'

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  plugins: [vue(), consolePath()],
  resolve: { alias: { '@shared': fromHere('./src/shared') } },
  define: { __VUE_I18N_FULL_INSTALL__: false, __VUE_I18N_LEGACY_API__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL in a style sheet would need `img-src data:` in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: fromHere('./index.html'), console: fromHere('./console.html') },
    },
  },
  server: {
    proxy: {
      '/widget/': { target: server, ws: true },
      '/api/': { target: server, ws: true },
    },
  },
})
