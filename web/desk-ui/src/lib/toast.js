import { ElMessage } from 'element-plus/es/components/message/index.mjs'
import 'element-plus/es/components/message/style/css.mjs'

const show = (type) => (message) => ElMessage({ message, type, grouping: true, duration: 3500, showClose: true })

export const toast = { info: show('info'), ok: show('success'), warn: show('warning'), error: show('error') }
