import { describe, expect, it } from 'vitest'
import { channelLine, heldText, lookAgainIn, stuckText, windowText } from '../src/lib/channel.js'
import { verified } from '../src/lib/format.js'
import { whyNoPicture } from '../src/lib/pictures.js'

// Local times, as the agent reads them.
const at = (day, hour, minute = 0) => new Date(2026, 10, day, hour, minute).getTime()
const iso = (...when) => new Date(at(...when)).toISOString()
const NOW = at(22, 14)
const told = (more) => ({ channel: 'wechat', sends_left: 4, window_ends_at: iso(24, 14, 20), why_not: '', under_way: false, held: [], ...more })

describe('what the platform allows', () => {
  it('names the end of the window by today, tomorrow or the day of the week', () => {
    expect([iso(22, 23, 5), iso(23, 0), iso(24, 14, 20)].map((end) => windowText(end, NOW))).toEqual(['今天 23:05', '明天 00:00', '周二 14:20'])
  })
  it('is said in one line, and takes colour only when it gets tight', () => {
    expect(channelLine(told(), NOW)).toEqual({ text: '微信 · 还可发 4 条 · 窗口到 周二 14:20', tight: false })
    expect(channelLine(told({ sends_left: 1 }), NOW).tight).toBe(true)
    expect(channelLine(told({ window_ends_at: iso(22, 14, 59) }), NOW).tight).toBe(true)
    expect(channelLine(told({ window_ends_at: iso(22, 15) }), NOW).tight).toBe(false)
  })
  it('is asked for again only while something is on its way, held by the quota, or when the window ends', () => {
    const ends = told({ window_ends_at: iso(22, 14, 0.5) })
    expect(lookAgainIn(told({ window_ends_at: null }), 0, NOW)).toBeNull()
    expect([0, 1, 9].map((looks) => lookAgainIn(told({ under_way: true }), looks, NOW))).toEqual([1000, 2000, 15_000])
    expect(lookAgainIn(ends, 0, at(22, 13, 59))).toBe(60_000)
    expect(lookAgainIn(told({ window_ends_at: null, held: [{ state: 'waiting', code: 'sends' }] }), 0, NOW)).toBeNull()
    expect(lookAgainIn(told({ window_ends_at: null, held: [{ state: 'waiting', code: 'quota' }] }), 0, NOW)).toBe(60_000)
  })
  it('says under a line why it has not arrived, and claims nothing that is not known', () => {
    expect(heldText({ state: 'waiting', reason: '客户上次来消息后已发满 5 条，微信暂不允许再发。客户一来消息就会自动发出。' })).toBe('未送达：客户上次来消息后已发满 5 条，微信暂不允许再发')
    expect(heldText({ state: 'uncertain', reason: '不确定客户是否收到，请确认一下。' })).toBe('不确定客户是否收到，请确认一下')
  })
  it('gives the lines that are stuck to whoever will call', () => {
    const lines = [{ seq: 1, sender: 'agent', text: '已退款' }, { seq: 2, sender: 'agent', text: '三天内到账' }, { seq: 3, sender: 'system', text: '已建单' }]
    expect(stuckText(lines, [{ seq: 2 }, { seq: 3 }])).toBe('微信里没能送达：三天内到账')
    expect(stuckText(lines, [])).toBe('')
    expect(stuckText([{ seq: 1, sender: 'agent', text: '长'.repeat(400) }], [{ seq: 1 }])).toHaveLength(200)
  })
})

describe('who it is', () => {
  it('never marks as proved what is not, and never the other way round', () => {
    expect(verified('phone', 'wechat')).toMatchObject({ text: '已核对订单和手机' })
    expect(verified('signed_in', 'wechat').text).toBe('已绑定会员账号')
    expect(verified('signed_in', 'web').text).toBe('已登录')
    expect(verified('order', 'web').part).toBe(true)
    expect(verified(null, 'web')).toMatchObject({ text: '未核实', part: true })
    expect(verified('phone', 'web').part).toBeUndefined()
  })
})

describe('pictures', () => {
  it('are looked at before they are sent: the kind and the size', () => {
    const file = (type, size) => ({ name: 'a', type, size })
    expect(whyNoPicture(file('image/png', 5 * 1024 * 1024))).toBe('')
    expect(whyNoPicture(file('image/png', 5 * 1024 * 1024 + 1))).toContain('超过 5 MB')
    expect(whyNoPicture(file('application/pdf', 10))).toContain('不是能发的图片')
  })
})
