// The keys of the desk. By the place of the key (event.code), because Alt and a letter write other signs on a Mac.
import { onMounted, onUnmounted } from 'vue'

export const HOTKEYS = [
  { keys: 'Alt + A', text: '接待新分配的 / 接入下一位' },
  { keys: 'Alt + ↑ / ↓', text: '上一个 / 下一个会话' },
  { keys: 'Alt + 1 … 8', text: '直接打开第几个会话' },
  { keys: 'Enter', text: '发送；Shift + Enter 换行' },
  { keys: '/', text: '快捷回复' },
  { keys: 'Alt + K', text: '查知识，插入或发送' },
  { keys: 'Alt + N', text: '切换「私密备注」，备注里 @ 请教同事' },
  { keys: 'Alt + O', text: '打开最近一个订单' },
  { keys: 'Alt + T', text: '转接' },
  { keys: 'Alt + E', text: '结束会话' },
  { keys: 'Esc', text: '关闭打开的窗口' },
  { keys: 'F1 / ?', text: '打开本说明（? 在不输入时）' },
]

const isTyping = (target) => target?.closest?.('input, textarea, select, [contenteditable="true"]')

const ALT = {
  KeyA: 'next', ArrowUp: 'up', ArrowDown: 'down', KeyN: 'note', KeyT: 'transfer', KeyE: 'close', KeyO: 'order', KeyK: 'articles',
}

/** Which action a key means, as [name, …arguments], or null. */
export function actionOf(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey) return null
  if (event.key === 'F1') return ['help']
  if (event.altKey) {
    if (event.shiftKey) return null
    const digit = /^(?:Digit|Numpad)([1-8])$/.exec(event.code)
    if (digit) return ['jump', Number(digit[1]) - 1]
    return ALT[event.code] ? [ALT[event.code]] : null
  }
  if (isTyping(event.target)) return null
  if (event.key === '?') return ['help']
  return event.key === '/' ? ['canned'] : null
}

/**
 * actions: { next, up, down, jump(place), note, transfer, close, order, articles, canned, help } by name;
 * blocked() is true while a dialog is open.
 */
export function useHotkeys(actions, blocked) {
  const onKey = (event) => {
    const [name, ...rest] = actionOf(event) || []
    if (!name) return
    event.preventDefault()
    if (!blocked() && !event.repeat) actions[name](...rest)
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onUnmounted(() => window.removeEventListener('keydown', onKey))
}
