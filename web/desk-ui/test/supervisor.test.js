import { describe, expect, it } from 'vitest'
import { endedText, replaySummary, replayText, waitAgainstTold } from '../src/supervisor/assigned.js'
import {
  agoText, awayReason, count, freePlaces, inOrder, isStale, levelTone, percent, roughly, score, situation, skillsInOrder, spoken, waitTone,
} from '../src/supervisor/figures.js'
import { closings, hoursText, newSpecial, openings, problemsOf, toForm, toPlan } from '../src/supervisor/hours.js'
import { hashOf, routeOf, viewOfKey } from '../src/supervisor/routes.js'
import { changeOf, draftOf, whyNot } from '../src/supervisor/staff.js'
import { isEmpty, longest, pointLabel, summary, weighted } from '../src/supervisor/trends.js'

const agent = (more = {}) => ({
  name: 'xiaolin', display_name: '小林', presence: 'online', away_because: '', load: 1, capacity: 3,
  skills: [{ name: 'orders', label: '订单与支付', proficiency: 4 }], ...more,
})

describe('figures as they are said', () => {
  it('tells lengths of time in words, and a dash for what is not known yet', () => {
    expect([0, 42, 60, 200, 3600, 3900].map(spoken)).toEqual(['0 秒', '42 秒', '1 分', '3 分 20 秒', '1 小时', '1 小时 5 分'])
    expect([42, 200, 7260, 200_000].map(roughly)).toEqual(['42 秒', '3 分', '2 小时', '2 天'])
    expect([spoken, roughly, percent, score, count].map((say) => say(null))).toEqual(['–', '–', '–', '–', '–'])
    expect([percent(0.856), score(4.62), count(1234)]).toEqual(['86%', '4.6', '1,234'])
  })

  it('colours a wait by the service level: in time, late, far too late', () => {
    expect([0, 20, 21, 60, 61].map((seconds) => waitTone(seconds, 20))).toEqual(['calm', 'calm', 'amber', 'amber', 'red'])
    expect([1, 0.8, 0.79, 0.59].map(levelTone)).toEqual(['calm', 'calm', 'amber', 'red'])
    expect(levelTone(null)).toBe('none')
  })

  it('says how old the figures are, and when they are too old', () => {
    expect(agoText(1500)).toBe('刚刚更新')
    expect(agoText(34_000)).toBe('34 秒前更新')
    expect([isStale(6000), isStale(8000)]).toEqual([false, true])
  })
})

describe('the floor', () => {
  it('shows who is there first, and among them the fullest', () => {
    const agents = [
      agent({ name: 'off', presence: 'offline' }), agent({ name: 'free', load: 0 }), agent({ name: 'full', load: 3 }),
      agent({ name: 'away', presence: 'away' }),
    ]
    expect(inOrder(agents).map((entry) => entry.name)).toEqual(['full', 'free', 'away', 'off'])
  })

  it('counts only places of agents who are given talks', () => {
    expect(freePlaces([agent(), agent({ load: 5 }), agent({ presence: 'busy', load: 0 })])).toBe(2)
  })

  it('says in one sentence who waits and whether somebody can take them', () => {
    const calm = { waiting: 0, longest_wait_seconds: 0, presence: { online: 1 }, agents: [agent()] }
    expect(situation(calm)).toBe('没有客户在等，1 位在线，还能接 2 个会话。')
    const bad = { waiting: 7, longest_wait_seconds: 134, presence: { online: 0 }, agents: [] }
    expect(situation(bad)).toBe('7 位客户在等，最久的等了 2 分 14 秒；没有坐席在线。')
    expect(situation({ ...calm, agents: [agent({ load: 3 })] })).toContain('都接满了')
  })

  it('puts skills with waiting customers first, and hides "any skill" while nobody waits there', () => {
    const skill = (name, waiting, wait) => ({ skill: name, waiting, longest_wait_seconds: wait })
    const names = (skills) => skillsInOrder(skills).map((entry) => entry.skill)
    expect(names([skill('a', 0, 0), skill('b', 1, 5), skill('c', 1, 9), skill(null, 0, 0)])).toEqual(['c', 'b', 'a'])
    expect(names([skill('a', 0, 0), skill(null, 2, 3)])).toEqual([null, 'a'])
  })

  it('tells when it was the system that set somebody away', () => {
    expect(awayReason(agent({ presence: 'away', away_because: 'no_answer' }))).toBe('未接来话')
    expect(awayReason(agent({ presence: 'away' }))).toBe('')
    expect(awayReason(agent({ presence: 'online', away_because: 'no_answer' }))).toBe('')
  })
})

describe('where one is', () => {
  it('stands behind the #, also the talk that is open', () => {
    expect(routeOf('#talks/a%2Fb')).toEqual({ view: 'talks', id: 'a/b' })
    expect(routeOf(hashOf('talks', '一/二'))).toEqual({ view: 'talks', id: '一/二' })
    expect(routeOf('#wall').view).toBe('wall')
  })
  it('is the board for everything unknown', () => {
    for (const hash of ['', '#', '#nothing', '#/']) expect(routeOf(hash)).toEqual({ view: 'board', id: '' })
    expect(routeOf('#talks/%E0%A4%A')).toEqual({ view: 'talks', id: '' })
  })
  it('is reached by the digits', () => {
    expect([viewOfKey('1'), viewOfKey('6'), viewOfKey('7'), viewOfKey('0'), viewOfKey('a')]).toEqual(['board', 'trends', undefined, undefined, undefined])
  })
})

describe('changing an agent', () => {
  it('sends only what was changed, and all skills when one was', () => {
    const before = agent()
    expect(changeOf(before, draftOf(before))).toBeNull()
    expect(changeOf(before, { ...draftOf(before), capacity: 4 })).toEqual({ capacity: 4 })
    expect(changeOf(before, { capacity: 3, skills: { orders: 4, general: 2 } })).toEqual({ skills: { orders: 4, general: 2 } })
  })
  it('takes a skill away by its dash; a dash that was one before is no change', () => {
    expect(changeOf(agent(), { capacity: 3, skills: { orders: 0 } })).toEqual({ skills: {} })
    expect(changeOf(agent(), { capacity: 3, skills: { orders: 4, general: 0 } })).toBeNull()
  })
  it('refuses a capacity nobody could work with', () => {
    expect(['', 0, 21, 2.5].map((capacity) => Boolean(whyNot({ capacity })))).toEqual([true, true, true, true])
    expect(whyNot({ capacity: 20 })).toBe('')
  })
})

describe('service hours', () => {
  const plan = {
    days: { workday: { opens: '09:00', closes: '21:00' }, weekend: { opens: '10:00', closes: '00:00' }, holiday: null },
    special: [{ day: '2026-12-31', opens: null, closes: null, note: '盘点' }],
  }

  it('come back from the form as they went in', () => {
    expect(toPlan(toForm(plan))).toEqual(plan)
    expect(toForm(plan).days.weekend.closes).toBe('24:00')
    expect(toPlan(toForm({ days: {}, special: [] }))).toEqual({ days: {}, special: [] })
  })
  it('without days mean always open, and back again offer usual hours', () => {
    const form = toForm({ days: {}, special: [] })
    expect(form.always).toBe(true)
    form.always = false
    expect(toPlan(form).days.workday).toEqual({ opens: '09:00', closes: '21:00' })
  })
  it('must end after they begin; midnight is the end of the day', () => {
    const form = toForm(plan)
    form.days.workday = { open: true, opens: '21:00', closes: '09:00' }
    expect(Object.keys(problemsOf(form))).toEqual(['workday'])
    form.days.workday.closes = '24:00'
    expect(problemsOf(form)).toEqual({})
  })
  it('need a date for a special day, each date once', () => {
    const form = toForm(plan)
    form.special.push(newSpecial(), { ...newSpecial(), day: '2026-12-31' })
    expect(problemsOf(form)).toEqual({ 'special-1': '请选日期。', 'special-2': '这一天已经填过了。' })
  })
  it('can be chosen by the half hour, and what is set otherwise stays to be chosen', () => {
    expect([openings('09:00').at(0), openings('09:00').at(-1), closings('09:00').at(0), closings('09:00').at(-1)]).toEqual(['00:00', '23:30', '00:30', '24:00'])
    expect(openings('08:45')).toContain('08:45')
  })
  it('are told as they stand now', () => {
    expect(hoursText({ open: true, today: '09:00–21:00', opens: '' })).toBe('营业中 09:00–21:00')
    expect(hoursText({ open: true, today: '00:00–24:00', opens: '' })).toBe('全天营业')
    expect(hoursText({ open: false, today: '今日休息', opens: '明天 09:00' })).toBe('休息中，明天 09:00 开始')
    expect(hoursText({ open: false, today: '今日休息', opens: '' })).toContain('没有安排营业')
  })
})

describe('assignments', () => {
  it('are compared with what the rules would decide again', () => {
    expect(replayText({ replay_agrees: null })).toBeNull()
    expect(replayText({ replay_agrees: true, replayed_to: '小林' }).mark).toBe('✓')
    expect(replayText({ replay_agrees: false, replayed_to: '小周' }).text).toBe('按规则重算会给小周')
    expect(replayText({ replay_agrees: false, replayed_to: null }).text).toContain('没有人能接')
  })
  it('are summed up in one sentence', () => {
    const entries = [{ replay_agrees: true }, { replay_agrees: true }, { replay_agrees: null }]
    expect(replaySummary(entries)).toBe('2 次自动分配按规则重算，全部一致。')
    expect(replaySummary([...entries, { replay_agrees: false }])).toContain('2 次一致，1 次不一致')
    expect(replaySummary([{ replay_agrees: null }])).toContain('手动')
    expect(replaySummary([])).toBe('')
  })
  it('tell how they ended and the wait beside what was told', () => {
    expect([endedText(null), endedText('unanswered'), endedText('something new')]).toEqual(['进行中', '没有接，放回排队', 'something new'])
    expect(waitAgainstTold(42, 60, spoken)).toBe('42 秒（预计 1 分）')
    expect(waitAgainstTold(42, null, spoken)).toBe('42 秒')
  })
})

describe('trends', () => {
  const point = (at, talks, more = {}) => ({ at, talks, to_agents: talks / 2, answered: talks / 2, abandoned: 0, service_level: null, satisfaction: null, ...more })
  const points = [point('2026-11-20T04:00:00Z', 10, { service_level: 1 }), point('2026-11-21T04:00:00Z', 30, { service_level: 0.6, abandoned: 2 })]

  it('say the sums, the busiest time, and the main reason', () => {
    const told = summary({ points, reasons: [{ label: '客户要求人工', count: 9 }] }, 7)
    expect(told).toContain('最近 7 天一共 40 个会话，20 个转了人工，接起 20 个，2 位没等到就走了')
    expect(told).toContain(`${pointLabel(points[1].at, 7)}最忙，有 30 个`)
    expect(told).toContain('平均服务水平 70%')
    expect(told).toContain('“客户要求人工”（9 次）')
    expect(told).not.toContain('满意度')
  })
  it('count a quiet hour less than a busy one, and nothing that is not known', () => {
    expect(weighted(points, 'service_level', 'to_agents')).toBeCloseTo(0.7)
    expect(weighted(points, 'satisfaction', 'to_agents')).toBeNull()
  })
  it('are empty when nobody came', () => {
    expect(isEmpty([point('2026-11-20T04:00:00Z', 0)])).toBe(true)
    expect(isEmpty([])).toBe(true)
    expect(isEmpty(points)).toBe(false)
  })
  it('show the longest bars, the longest first', () => {
    expect(longest([{ count: 1 }, { count: 3 }, { count: 2 }], 2)).toEqual([{ count: 3 }, { count: 2 }])
  })
})
