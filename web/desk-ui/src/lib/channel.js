// What a platform's rules allow, in words. Pure functions; `told` is the answer of GET …/channel.
import { channelLabel, dayKey, dayLabel, timeText } from './format.js'

const HOUR_MS = 3_600_000
const WEEKDAYS = ['周日', '周一', '周二', '周三', '周四', '周五', '周六']

/** 今天 14:20, 明天 14:20, 周二 14:20: a window is never open for longer than two days. */
export function windowText(iso, now) {
  const near = { [dayKey(now)]: '今天', [dayKey(now + 24 * HOUR_MS)]: '明天' }[dayKey(iso)]
  return `${near || WEEKDAYS[new Date(iso).getDay()]} ${timeText(iso)}`
}

/** `{ text, tight }`: what can still be sent, until when, and whether to think before the next line. */
export function channelLine(told, now) {
  const name = channelLabel(told.channel)
  const until = told.window_ends_at ? ` · 窗口到 ${windowText(told.window_ends_at, now)}` : ''
  const ending = Boolean(told.window_ends_at) && Date.parse(told.window_ends_at) - now < HOUR_MS
  return { text: `${name} · 还可发 ${told.sends_left} 条${until}`, tight: told.sends_left <= 1 || ending }
}

/** Under a line that has not arrived: the first sentence of why, the whole as its title. */
export function heldText(held) {
  const [why] = held.reason.split('。')
  return held.state === 'uncertain' ? why : `未送达：${why}`
}

/** What a call-back would be about: the lines that are stuck, as they stand. */
export function stuckText(messages, held) {
  const stuck = new Set(held.map((each) => each.seq))
  const texts = messages.filter((line) => line.sender === 'agent' && stuck.has(line.seq)).map((line) => line.text.trim())
  return texts.length ? `微信里没能送达：${texts.join('；')}`.slice(0, 200) : ''
}

const LOOKS_MS = [1000, 2000, 4000, 8000, 15_000]
const HELD_LOOK_MS = 60_000

/**
 * In how many ms to ask again without anything new in the talk, or null. Something on its way is soon settled; what the
 * account's daily quota holds goes out by itself some time; and at its end the window is another.
 */
export function lookAgainIn(told, looks, now) {
  if (told.under_way) return LOOKS_MS[Math.min(looks, LOOKS_MS.length - 1)]
  const waits = [told.held?.some((each) => each.code === 'quota') && HELD_LOOK_MS]
  if (told.window_ends_at) waits.push(Math.max(1000, Date.parse(told.window_ends_at) - now))
  const sensible = waits.filter(Boolean)
  return sensible.length ? Math.min(...sensible) : null
}
