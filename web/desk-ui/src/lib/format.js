// Numbers, dates and names for the page. Times come in UTC and are shown in the agent's own time zone.

const pad = (n) => String(n).padStart(2, '0')

export function money(cents) {
  if (cents == null) return ''
  return `¥${(cents / 100).toLocaleString('zh-CN', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
}

export function timeText(iso) {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? '' : `${pad(date.getHours())}:${pad(date.getMinutes())}`
}

export function dayKey(iso) {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? '' : `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

export function dayLabel(key, now) {
  if (!key) return ''
  if (key === dayKey(now)) return '今天'
  if (key === dayKey(now - 86_400_000)) return '昨天'
  const [year, month, day] = key.split('-').map(Number)
  const sameYear = year === new Date(now).getFullYear()
  return sameYear ? `${month}月${day}日` : `${year}年${month}月${day}日`
}

export function dateText(iso) {
  return iso ? dayKey(iso) : ''
}

export function dateTimeText(iso) {
  if (!iso || Number.isNaN(Date.parse(iso))) return ''
  const date = new Date(iso)
  return `${date.getMonth() + 1}月${date.getDate()}日 ${timeText(iso)}`
}

const CHANNELS = { web: '网页', wechat: '微信', app: 'App', phone: '电话', email: '邮件', h5: '手机网页' }

export function channelLabel(channel) {
  return CHANNELS[channel] || channel || ''
}

const VERIFIED = { signed_in: '登录核实', order: '订单核实' }

export function verifiedLabel(how) {
  return VERIFIED[how] || '未核实'
}

export function customerName(conversation) {
  return conversation?.customer?.name || '访客'
}
