// How figures are said and how worried they should look. Pure; what is not known yet is a dash.
import { clockText } from '../lib/waiting.js'

export const NONE = '–'
/** The usual promise of a service desk: so many of a hundred are answered within the service level's seconds. */
export const LEVEL_TARGET = 0.8
const LEVEL_BAD = 0.6
const LATE_TIMES = 3 // so many times the promised wait is late
/** Who is served already is more patient with the next answer than somebody in the queue. */
export const PATIENT_TIMES = 6
const STALE_MS = 7000 // three refreshes missed

/** 42 秒, 3 分 20 秒, 1 小时 5 分 */
export function spoken(seconds) {
  if (seconds == null) return NONE
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} 秒`
  if (whole < 3600) return whole % 60 ? `${Math.floor(whole / 60)} 分 ${whole % 60} 秒` : `${whole / 60} 分`
  const minutes = Math.floor((whole % 3600) / 60)
  return minutes ? `${Math.floor(whole / 3600)} 小时 ${minutes} 分` : `${Math.floor(whole / 3600)} 小时`
}

/** Roughly, where the seconds do not matter any more: 42 秒, 12 分, 3 小时, 2 天 */
export function roughly(seconds) {
  if (seconds == null) return NONE
  if (seconds < 60) return spoken(seconds)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} 小时` : `${Math.floor(seconds / 86_400)} 天`
}

/** For the wall: 0:42, 12:30 */
export const clocked = (seconds) => (seconds == null ? NONE : clockText(Math.round(seconds)))

export const percent = (share) => (share == null ? NONE : `${Math.round(share * 100)}%`)
export const score = (mean) => (mean == null ? NONE : mean.toFixed(1))
export const count = (number) => (number == null ? NONE : number.toLocaleString('zh-CN'))

export function waitTone(seconds, levelSeconds) {
  if (!seconds || seconds <= levelSeconds) return 'calm'
  return seconds <= levelSeconds * LATE_TIMES ? 'amber' : 'red'
}

export function levelTone(share) {
  if (share == null) return 'none'
  if (share >= LEVEL_TARGET) return 'calm'
  return share >= LEVEL_BAD ? 'amber' : 'red'
}

/** The figures are older than they should be: say so, and how old. */
export const isStale = (ageMs) => ageMs > STALE_MS
export const agoText = (ageMs) => (ageMs < 3000 ? '刚刚更新' : `${roughly(ageMs / 1000)}前更新`)

const ORDER = ['online', 'busy', 'away', 'offline']

/** Who is there first; among them the fullest first, because there the next problem is. */
export function inOrder(agents) {
  const fullness = (agent) => agent.load / (agent.capacity || 1)
  return [...agents].sort(
    (a, b) =>
      ORDER.indexOf(a.presence) - ORDER.indexOf(b.presence) || fullness(b) - fullness(a) ||
      a.display_name.localeCompare(b.display_name, 'zh-CN'),
  )
}

export const secondsSince = (iso, now) => (iso ? Math.max(0, (now - Date.parse(iso)) / 1000) : null)

/** Why somebody is away, when it was not their own choice. */
export const awayReason = (agent) => (agent.presence === 'away' && agent.away_because === 'no_answer' ? '未接来话' : '')

export const freePlaces = (agents) =>
  agents.reduce((sum, agent) => sum + (agent.presence === 'online' ? Math.max(0, agent.capacity - agent.load) : 0), 0)

/** The floor in one sentence: who waits, and whether somebody can take them. */
export function situation(board) {
  const free = freePlaces(board.agents)
  const room = board.presence.online
    ? `${board.presence.online} 位在线，${free ? `还能接 ${free} 个会话` : '都接满了'}`
    : '没有坐席在线'
  if (!board.waiting) return `没有客户在等，${room}。`
  return `${board.waiting} 位客户在等，最久的等了 ${spoken(board.longest_wait_seconds)}；${room}。`
}

/** The skill a talk needs, as the board counts it. */
export const skillOf = (talk) => (talk.skill ? talk.skill_label : '不限')

/** Skills where somebody waits first. Talks that need no skill are shown only while some wait. */
export const skillsInOrder = (skills) =>
  skills.filter((entry) => entry.skill || entry.waiting).sort((a, b) => b.waiting - a.waiting || (b.longest_wait_seconds || 0) - (a.longest_wait_seconds || 0))
