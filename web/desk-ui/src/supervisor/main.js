import { createApp } from 'vue'
import 'element-plus/theme-chalk/base.css'
import '../styles/tokens.css'
import '../styles/base.css'
import './supervisor.css'
import SupervisorApp from './SupervisorApp.vue'

createApp(SupervisorApp).mount('#app')
