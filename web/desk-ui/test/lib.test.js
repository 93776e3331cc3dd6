import { describe, expect, it } from 'vitest'
import { fillVariables, filterReplies, replaceRange, slashQuery } from '../src/lib/canned.js'
import { dayKey, dayLabel, money } from '../src/lib/format.js'
import { clockText, dueClock, pickUpSecondsLeft, REPLY_LIMITS, waitedSeconds, waitingTone } from '../src/lib/waiting.js'

describe('waiting', () => {
  it('in the queue is green within the service level, amber for a minute, then red', () => {
    expect([0, 19, 20, 59, 60].map((seconds) => waitingTone(seconds))).toEqual(['calm', 'calm', 'amber', 'amber', 'red'])
  })
  it('in a talk leaves time to think: a minute, then three', () => {
    const tones = [59, 60, 179, 180].map((seconds) => waitingTone(seconds, REPLY_LIMITS))
    expect(tones).toEqual(['calm', 'amber', 'amber', 'red'])
  })
  it('counts down the minute to pick up an assigned talk, never below nothing', () => {
    const now = Date.parse('2026-11-22T08:00:45Z')
    expect(pickUpSecondsLeft('2026-11-22T08:00:00Z', now)).toBe(15)
    expect(pickUpSecondsLeft('2026-11-22T07:50:00Z', now)).toBe(0)
  })
  it('tells how long a promise still has, and for how long it is broken', () => {
    const now = Date.parse('2026-11-22T08:00:00Z')
    expect(dueClock('2026-11-22T10:05:00Z', now)).toEqual({ text: '还剩 2 小时 5 分', tone: 'calm' })
    expect(dueClock('2026-11-22T08:10:00Z', now)).toEqual({ text: '还剩 10 分钟', tone: 'amber' })
    expect(dueClock('2026-11-22T07:48:00Z', now)).toEqual({ text: '已超时 12 分钟', tone: 'red' })
  })
  it('counts seconds and is never negative', () => {
    const now = Date.parse('2026-11-22T08:01:05Z')
    expect(waitedSeconds('2026-11-22T08:00:00Z', now)).toBe(65)
    expect(waitedSeconds('2026-11-22T08:02:00Z', now)).toBe(0)
    expect(waitedSeconds(null, now)).toBe(0)
  })
  it('reads like a clock', () => {
    expect([7, 754, 3725].map(clockText)).toEqual(['0:07', '12:34', '1:02:05'])
  })
})

describe('canned replies', () => {
  const replies = [
    { id: 1, shortcut: 'wait', title: '请稍等', text: '马上为您查询' },
    { id: 2, shortcut: 'refund', title: '退款时效', text: '请稍等退款' },
  ]
  it('opens on a slash at the beginning or after a space, not inside a word or an address', () => {
    expect(slashQuery('/', 1)).toBe('')
    expect(slashQuery('您好 /re', 6)).toBe('re')
    expect(slashQuery('24/7', 4)).toBeNull()
    expect(slashQuery('https://a.b', 11)).toBeNull()
  })
  it('finds by shortcut, title and text, the shortcut first', () => {
    expect(filterReplies(replies, 're').map((reply) => reply.id)).toEqual([2])
    expect(filterReplies(replies, '稍等').map((reply) => reply.id)).toEqual([1, 2])
    expect(filterReplies(replies, 'zzz')).toEqual([])
  })
  it('fills in the names', () => {
    expect(fillVariables('{客户}您好，我是{坐席}', { customer: '陈女士', agent: '小林' })).toBe('陈女士您好，我是小林')
  })
  it('replaces a piece and says where the caret belongs', () => {
    expect(replaceRange('您好 /re吧', 3, 6, '退款')).toEqual({ text: '您好 退款吧', caret: 5 })
  })
})

describe('format', () => {
  it('shows money in yuan', () => {
    expect(money(329900)).toBe('¥3,299.00')
    expect(money(0)).toBe('¥0.00')
  })
  it('names today and yesterday', () => {
    const now = new Date(2026, 10, 22, 9).getTime()
    expect(dayLabel(dayKey(now), now)).toBe('今天')
    expect(dayLabel('2026-11-21', now)).toBe('昨天')
    expect(dayLabel('2025-01-02', now)).toBe('2025年1月2日')
  })
})
