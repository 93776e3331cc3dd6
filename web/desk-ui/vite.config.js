import { defineConfig } from 'vite'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'

const server = process.env.ZHIKE_SERVER || 'http://127.0.0.1:8000'

export default defineConfig({
  base: '/static/desk/',
  plugins: [
    vue(),
    // Only <el-…> tags are resolved here, each with its own style sheet, so that the bundle holds what is used.
    // Our own components are imported by name: a newcomer can follow the imports.
    Components({ dirs: [], dts: false, resolvers: [ElementPlusResolver({ importStyle: 'css' })] }),
  ],
  build: {
    outDir: '../static/desk',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 700,
    // The desk, the administration, and the supervisors' page.
    rollupOptions: { input: { index: 'index.html', admin: 'admin.html', supervisor: 'supervisor.html' } },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': server,
      '/static/products': server,
      '/socket.io': { target: server, ws: true },
    },
  },
  test: { include: ['test/**/*.test.js'] },
})
