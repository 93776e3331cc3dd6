import { ElMessageBox } from 'element-plus/es/components/message-box/index.mjs'
import 'element-plus/es/components/message-box/style/css.mjs'

/** Asks before something that cannot be undone by another click; whether the answer was yes. */
export async function confirmed(title, text, yes) {
  try {
    await ElMessageBox.confirm(text, title, { confirmButtonText: yes, cancelButtonText: '再想想' })
    return true
  } catch {
    return false
  }
}
