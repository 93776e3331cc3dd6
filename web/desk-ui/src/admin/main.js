import { createApp } from 'vue'
import 'element-plus/theme-chalk/base.css'
import '../styles/tokens.css'
import '../styles/base.css'
import './admin.css'
import AdminApp from './AdminApp.vue'

createApp(AdminApp).mount('#app')
