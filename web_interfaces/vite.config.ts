import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Each page is one HTML file at the root of this folder; a later page is one more entry here. */
const pages = ['index.html', 'video.html', 'consent.html']

export default defineConfig({
  plugins: [react()],
  build: {
    // The pages run under `default-src 'self'`: nothing may become a data URL or an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    rollupOptions: { input: pages },
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/healthz', '/readyz'].map((path) => [
        path,
        process.env.GATEWAY_URL ?? 'http://127.0.0.1:8080',
      ]),
    ),
  },
})
