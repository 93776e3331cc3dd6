// Numbers and times as customers read them. Times come in UTC and are shown in the visitor's own zone.

const pad = (n) => String(n).padStart(2, '0')
const WEEKDAYS = ['星期日', '星期一', '星期二', '星期三', '星期四', '星期五', '星期六']

export function money(cents) {
  if (typeof cents !== 'number') return ''
  return `¥${(cents / 100).toLocaleString('zh-CN', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
}

const clock = (date) => `${pad(date.getHours())}:${pad(date.getMinutes())}`

/** "14:05", "昨天 14:05", "星期三 14:05", "11月20日 14:05", "2025年11月20日 14:05". */
export function separatorText(iso, now = new Date()) {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return ''
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime()
  const days = Math.round((midnight(now) - midnight(date)) / 86_400_000)
  if (days <= 0) return clock(date)
  if (days === 1) return `昨天 ${clock(date)}`
  if (days < 7) return `${WEEKDAYS[date.getDay()]} ${clock(date)}`
  const day = `${date.getMonth() + 1}月${date.getDate()}日 ${clock(date)}`
  return date.getFullYear() === now.getFullYear() ? day : `${date.getFullYear()}年${day}`
}

export function dateTime(iso) {
  const date = new Date(iso)
  if (!iso || Number.isNaN(date.getTime())) return ''
  return `${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(date)}`
}

export function dateOnly(iso) {
  const date = new Date(iso)
  if (!iso || Number.isNaN(date.getTime())) return ''
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

/** "今天 16:30", "明天 09:00", "后天 …", "11月28日 …": by when something is done. */
export function dueText(iso, now = new Date()) {
  const date = new Date(iso)
  if (!iso || Number.isNaN(date.getTime())) return ''
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime()
  const day = ['今天', '明天', '后天'][Math.round((midnight(date) - midnight(now)) / 86_400_000)]
  return `${day ?? `${date.getMonth() + 1}月${date.getDate()}日`} ${clock(date)}`
}

/** "马上", "约 3 分钟", "约 1 小时 10 分钟"; '' when the server cannot say. Rounded as the server's own line is. */
export function waitText(seconds) {
  if (typeof seconds !== 'number' || seconds < 0) return ''
  if (seconds < 60) return '马上'
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `约 ${minutes} 分钟`
  const rest = minutes % 60
  return `约 ${Math.floor(minutes / 60)} 小时${rest ? ` ${rest} 分钟` : ''}`
}

/** One character for a round mark: 小林 → 林, 老陈 → 陈, 王芳 → 王. */
export function initial(name) {
  const chars = [...(name || '').trim()]
  if (!chars.length) return '客'
  return chars.length > 1 && '小老阿'.includes(chars[0]) ? chars[1] : chars[0]
}

export const lengthOf = (text) => [...text].length
