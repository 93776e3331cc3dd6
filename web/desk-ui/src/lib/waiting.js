// How long somebody waits, and how worried we should look about it.

export const AMBER_AFTER = 60
export const RED_AFTER = 180

export function waitedSeconds(since, now) {
  if (!since) return 0
  const from = Date.parse(since)
  // Clocks differ by a little: never show a negative time.
  return Number.isNaN(from) ? 0 : Math.max(0, Math.floor((now - from) / 1000))
}

export function waitingTone(seconds) {
  if (seconds < AMBER_AFTER) return 'calm'
  return seconds < RED_AFTER ? 'amber' : 'red'
}

/** 0:07, 12:30, 1:02:05 */
export function clockText(seconds) {
  const pad = (n) => String(n).padStart(2, '0')
  const h = Math.floor(seconds / 3600)
  const m = Math.floor((seconds % 3600) / 60)
  const s = seconds % 60
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`
}
