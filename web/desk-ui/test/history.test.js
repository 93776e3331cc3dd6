import { describe, expect, it } from 'vitest'
import { nextEarlier, oneHistory } from '../src/lib/history.js'
import { toRows } from '../src/lib/messages.js'

const said = (seq, text, at) => ({ seq, sender: 'customer', kind: 'text', text, created_at: `2026-11-${at}:00Z` })
const talk = (id, at, ...messages) => ({ conversation: { id, channel: 'web', started_at: `2026-11-${at}:00Z` }, messages })
const day = (iso) => iso.slice(0, 10)
const shown = (rows) => rows.map((row) => (row.type === 'message' ? row.message.text : row.type === 'talk' ? `【${row.talk?.id ?? '现在'}】` : row.day))

describe('one history of all channels', () => {
  it('has the other talk above, with a line where it begins and where this one goes on', () => {
    const lines = oneHistory([said(1, 'c', '22T10:00'), said(2, 'd', '22T10:01')], [talk('w', '22T08:00', said(1, 'a', '22T08:00'), said(2, 'b', '22T08:01'))])
    expect(shown(toRows(lines, day))).toEqual(['【w】', 'a', 'b', '【现在】', 'c', 'd'])
  })
  it('has what was said on another channel in between where it was said', () => {
    const lines = oneHistory([said(1, 'a', '20T10:00'), said(2, 'd', '22T10:00')], [talk('w', '21T08:00', said(1, 'b', '21T08:00'), said(2, 'c', '21T23:00'))])
    expect(shown(toRows(lines, day))).toEqual(['2026-11-20', 'a', '【w】', 'b', 'c', '【现在】', '2026-11-22', 'd'])
  })
  it('keeps equal numbers of two talks apart, and what is not sent yet at the end', () => {
    const local = { ...said(null, 'x', '19T00:00'), client_message_id: 'k' }
    const rows = toRows(oneHistory([said(1, 'b', '22T10:00'), local], [talk('w', '22T08:00', said(1, 'a', '22T08:00'))]), day)
    expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length)
    expect(shown(rows).at(-1)).toBe('x')
  })
  it('goes back talk by talk, each once', () => {
    const talks = [talk('old', '01T00:00'), talk('new', '09T00:00')].map((each) => each.conversation)
    expect(nextEarlier(talks, []).id).toBe('new')
    expect(nextEarlier(talks, ['new']).id).toBe('old')
    expect(nextEarlier(talks, ['new', 'old'])).toBeNull()
    expect(nextEarlier(undefined, [])).toBeNull()
  })
})
