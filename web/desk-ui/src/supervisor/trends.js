// What the curves say, in words and as labels; for who cannot see them, and for who has only a glance. Pure.
import { dateTimeText, dayKey, timeText } from '../lib/format.js'
import { percent, score } from './figures.js'

const HOURLY_DAYS = 2 // up to so many days the server counts by the hour

const dayText = (iso) => {
  const [, month, day] = dayKey(iso).split('-').map(Number)
  return `${month}月${day}日`
}
export const pointLabel = (at, days) => (days > HOURLY_DAYS ? dayText(at) : days > 1 ? dateTimeText(at) : timeText(at))

export const isEmpty = (points) => points.every((point) => !point.talks && !point.to_agents)

const sum = (points, field) => points.reduce((total, point) => total + (point[field] || 0), 0)

/** The mean of a field, each point counting by how many talks stand behind it; null when it is known nowhere. */
export function weighted(points, field, by) {
  const known = points.filter((point) => point[field] != null && point[by])
  const weight = sum(known, by)
  return weight ? known.reduce((total, point) => total + point[field] * point[by], 0) / weight : null
}

export function summary({ points, reasons }, days) {
  const span = days === 1 ? '今天' : `最近 ${days} 天`
  const talks = sum(points, 'talks')
  const busiest = points.reduce((best, point) => (point.talks > best.talks ? point : best), points[0])
  const level = weighted(points, 'service_level', 'to_agents')
  const rating = weighted(points, 'satisfaction', 'to_agents')
  const said = [
    `${span}一共 ${talks} 个会话，${sum(points, 'to_agents')} 个转了人工，接起 ${sum(points, 'answered')} 个，${sum(points, 'abandoned')} 位没等到就走了`,
    `${pointLabel(busiest.at, days)}最忙，有 ${busiest.talks} 个`,
  ]
  if (level != null) said.push(`平均服务水平 ${percent(level)}`)
  if (rating != null) said.push(`满意度 ${score(rating)}`)
  if (reasons.length) said.push(`转人工最多的原因是“${reasons[0].label}”（${reasons[0].count} 次）`)
  return `${said.join('；')}。`
}

/** The longest bars first, so many of them. */
export const longest = (bars, most = 8) => [...bars].sort((a, b) => b.count - a.count).slice(0, most)
