// How long somebody waits, and how worried we should look about it.

/** In the queue: the service level (20 s), and what is already far beyond it. */
export const QUEUE_LIMITS = { amber: 20, red: 60 }
/** In a talk that goes on: people read and think, a minute between lines is a conversation. */
export const REPLY_LIMITS = { amber: 60, red: 180 }
/** Within this time an assigned talk must be opened, else it goes back to the queue (the server's pick_up_seconds). */
export const PICK_UP_SECONDS = 60

export function waitedSeconds(since, now) {
  if (!since) return 0
  const from = Date.parse(since)
  // Clocks differ by a little: never show a negative time.
  return Number.isNaN(from) ? 0 : Math.max(0, Math.floor((now - from) / 1000))
}

export function waitingTone(seconds, { amber, red } = QUEUE_LIMITS) {
  if (seconds < amber) return 'calm'
  return seconds < red ? 'amber' : 'red'
}

/** Seconds left to open a talk that was assigned at `acceptedAt`. */
export function pickUpSecondsLeft(acceptedAt, now) {
  return Math.max(0, PICK_UP_SECONDS - waitedSeconds(acceptedAt, now))
}

/** 0:07, 12:30, 1:02:05 */
export function clockText(seconds) {
  const pad = (n) => String(n).padStart(2, '0')
  const h = Math.floor(seconds / 3600)
  const m = Math.floor((seconds % 3600) / 60)
  const s = seconds % 60
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const SOON = 30 * MINUTE

function spanText(seconds) {
  if (seconds < MINUTE) return '不到 1 分钟'
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} 分钟`
  if (seconds < 48 * HOUR) return `${Math.floor(seconds / HOUR)} 小时 ${Math.floor((seconds % HOUR) / MINUTE)} 分`
  return `${Math.floor(seconds / (24 * HOUR))} 天`
}

/** Something due: `{ text, tone }`, red when the time is over, amber in the last half hour. */
export function dueClock(dueAt, now) {
  const left = Math.floor((Date.parse(dueAt) - now) / 1000)
  if (Number.isNaN(left)) return { text: '', tone: 'calm' }
  if (left < 0) return { text: `已超时 ${spanText(-left)}`, tone: 'red' }
  return { text: `还剩 ${spanText(left)}`, tone: left < SOON ? 'amber' : 'calm' }
}
