// The keys of the desk. By the place of the key (event.code), because Alt and a letter write other signs on a Mac.
import { onMounted, onUnmounted } from 'vue'

export const HOTKEYS = [
  { keys: 'Alt + N', text: '接入下一位' },
  { keys: 'Alt + ↑ / ↓', text: '切换会话' },
  { keys: 'Alt + T', text: '转接' },
  { keys: 'Alt + W', text: '结束会话' },
  { keys: 'Alt + M', text: '切换「私密备注」' },
  { keys: 'Enter', text: '发送' },
  { keys: 'Shift + Enter', text: '换行' },
  { keys: '/', text: '打开快捷回复' },
  { keys: 'Esc', text: '关闭对话框' },
  { keys: '?', text: '打开本说明（不在输入时）' },
]

const isTyping = (target) => target?.closest?.('input, textarea, [contenteditable="true"]')

/** actions: { next, up, down, transfer, close, note, help }; blocked() is true while a dialog is open. */
export function useHotkeys(actions, blocked) {
  const byCode = {
    KeyN: actions.next, ArrowUp: actions.up, ArrowDown: actions.down,
    KeyT: actions.transfer, KeyW: actions.close, KeyM: actions.note,
  }
  const onKey = (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return
    if (event.key === '?' && !event.altKey && !isTyping(event.target) && !blocked()) {
      event.preventDefault()
      return actions.help()
    }
    const action = event.altKey && !event.shiftKey && byCode[event.code]
    if (!action) return
    event.preventDefault()
    if (!blocked() && !event.repeat) action()
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onUnmounted(() => window.removeEventListener('keydown', onKey))
}
