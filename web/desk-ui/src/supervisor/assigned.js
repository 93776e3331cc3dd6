// How decisions about who serves whom are told. Pure.

const ENDED = {
  closed: '已结束',
  transferred: '转接走了',
  dropped: '坐席掉线，放回排队',
  unanswered: '没有接，放回排队',
  taken_over: '被班长接管',
  reassigned: '被班长改派',
}
export const endedText = (how) => (how ? ENDED[how] || how : '进行中')

/** Whether today's rules would decide the same from what was known then; null: taken by hand, nothing to compare. */
export function replayText({ replay_agrees: agrees, replayed_to: to }) {
  if (agrees == null) return null
  if (agrees) return { agrees, mark: '✓', text: '按规则重算，结果一致' }
  return { agrees, mark: '✗', text: to ? `按规则重算会给${to}` : '按规则重算，当时没有人能接' }
}

export function replaySummary(assignments) {
  const replayed = assignments.filter((entry) => entry.replay_agrees != null)
  if (!replayed.length) return assignments.length ? '都是手动接入的，没有自动分配可以核对。' : ''
  const agree = replayed.filter((entry) => entry.replay_agrees).length
  const begin = `${replayed.length} 次自动分配按规则重算，`
  return agree === replayed.length ? `${begin}全部一致。` : `${begin}${agree} 次一致，${replayed.length - agree} 次不一致，请看打 ✗ 的。`
}

/** Waited against told: "等了 42 秒，预计 1 分" */
export const waitAgainstTold = (wait, told, spoken) => `${spoken(wait)}${told == null ? '' : `（预计 ${spoken(told)}）`}`
