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

const CHANNELS = { web: '网站', wechat: '微信', app: 'App', phone: '电话', email: '邮件', h5: '手机网页' }

export function channelLabel(channel) {
  return CHANNELS[channel] || channel || ''
}

const VERIFIED = {
  signed_in: { text: '已登录', title: '客户在商城登录过，或把微信绑定到了会员账号。' },
  phone: { text: '已核对订单和手机', title: '订单号与下单手机后四位一致，就是下单的人。' },
  order: { text: '只核对了一笔订单', title: '核对的是收货手机，可能不是下单的人：只能看这一笔订单，账户里的东西看不到。', part: true },
}

/** How sure it is who this is: `{ text, title, part }`; part: for one order only. */
export function verified(how, channel) {
  if (how === 'signed_in' && channel === 'wechat') return { ...VERIFIED.signed_in, text: '已绑定会员账号' }
  return VERIFIED[how] || { text: '未核实', title: '还不知道是不是本人。', part: true }
}

export function customerName(conversation) {
  return conversation?.customer?.name || '访客'
}
