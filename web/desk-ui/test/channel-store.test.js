import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { channels, lookAtChannel, resetChannels } from '../src/stores/channel.js'
import { ui } from '../src/stores/ui.js'

const OPEN = { sends_left: 3, why_not: '', under_way: false, held: [], window_ends_at: '2026-11-25T00:00:00Z' }
const CLOSED = { ...OPEN, why_not: '客户超过 48 小时没有发来消息。', window_ends_at: null }

describe('what the open talk can still be sent', () => {
  let asked

  beforeEach(() => {
    vi.useFakeTimers({ now: new Date('2026-11-23T08:00:00Z') })
    asked = []
    vi.stubGlobal('fetch', () => new Promise((resolve, reject) => asked.push({ resolve, reject })))
    ui.activeId = 'talk'
  })

  afterEach(() => {
    resetChannels()
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  async function answered(question, told) {
    question.resolve(new Response(JSON.stringify(told), { status: 200, headers: { 'Content-Type': 'application/json' } }))
    await vi.advanceTimersByTimeAsync(0)
  }

  it('is asked for again when a line comes while an answer that knows nothing of it is under way', async () => {
    lookAtChannel('talk')
    await vi.advanceTimersByTimeAsync(300)
    lookAtChannel('talk') // a line is sent now
    await answered(asked[0], OPEN)
    await vi.advanceTimersByTimeAsync(300)
    await answered(asked[1], CLOSED)
    expect(channels.talk.why_not).toContain('48 小时')
  })

  it('is asked for until what is on its way has settled, also when the network fails meanwhile', async () => {
    lookAtChannel('talk')
    await vi.advanceTimersByTimeAsync(300)
    await answered(asked[0], { ...OPEN, under_way: true })
    await vi.advanceTimersByTimeAsync(1000)
    asked[1].reject(new TypeError('network'))
    await vi.advanceTimersByTimeAsync(2000)
    await answered(asked[2], CLOSED)
    expect(channels.talk.why_not).toContain('48 小时')
    await vi.advanceTimersByTimeAsync(120_000)
    expect(asked).toHaveLength(3)
  })
})
