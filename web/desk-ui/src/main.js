import { createApp } from 'vue'
import 'element-plus/theme-chalk/base.css'
import './styles/tokens.css'
import './styles/base.css'
import App from './App.vue'
import { unlockSound } from './lib/sound.js'

// The browser allows sound only after the first gesture.
for (const gesture of ['pointerdown', 'keydown']) window.addEventListener(gesture, unlockSound, { once: true })

createApp(App).mount('#app')
