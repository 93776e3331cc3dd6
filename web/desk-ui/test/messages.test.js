import { describe, expect, it } from 'vitest'
import { confirmLocal, localMessage, markLocal, mergeMessages, previewText, toRows } from '../src/lib/messages.js'

const said = (seq, text, more = {}) => ({ seq, sender: 'customer', kind: 'text', text, created_at: '2026-11-22T08:00:00Z', ...more })
const mine = (clientId, text, more = {}) => ({ ...localMessage({ clientId, text, now: 0, agentName: '小林' }), ...more })
const texts = (messages) => messages.map((message) => message.text)

describe('mergeMessages', () => {
  it('shows a message once and in order, however often and in whatever order it comes', () => {
    const held = mergeMessages([], [said(5, 'c'), said(2, 'a')])
    const merged = mergeMessages(held, [said(3, 'b'), said(5, 'c')])
    expect(texts(merged)).toEqual(['a', 'b', 'c'])
  })

  it('keeps lines not yet confirmed at the end', () => {
    const merged = mergeMessages([said(1, 'a'), mine('x', 'mine')], [said(9, 'b')])
    expect(texts(merged)).toEqual(['a', 'b', 'mine'])
  })

  it('lets the socket settle a line before the answer to the POST is there', () => {
    const merged = mergeMessages([mine('x', 'hello')], [said(4, 'hello', { sender: 'agent', client_message_id: 'x' })])
    expect(merged).toHaveLength(1)
    expect(merged[0].seq).toBe(4)
    expect(confirmLocal(merged, 'x', 4)).toHaveLength(1)
  })

  it('does not take an equal text of somebody else for ours', () => {
    const merged = mergeMessages([mine('x', '好的')], [said(4, '好的', { sender: 'agent', client_message_id: 'y' }), said(5, '好的')])
    expect(merged).toHaveLength(3)
  })

  it('keeps two equal notes two, also when one comes twice', () => {
    const note = (seq, id) => said(seq, '等仓库', { sender: 'agent', kind: 'note', client_message_id: id })
    const held = [mine('x', '等仓库', { kind: 'note' }), mine('y', '等仓库', { kind: 'note' })]
    const one = mergeMessages(mergeMessages(held, [note(7, 'x')]), [note(7, 'x')])
    expect(one.map((message) => message.seq)).toEqual([7, null])
  })
})

describe('own lines', () => {
  it('gets its seq from the answer and loses the local marks', () => {
    const [confirmed] = confirmLocal([mine('x', 'hi')], 'x', 8)
    expect(confirmed).toMatchObject({ seq: 8, text: 'hi', client_message_id: 'x' })
    expect(confirmed).not.toHaveProperty('local')
  })

  it('stays on the page when it failed, and takes its place by seq when it is sent after all', () => {
    const failed = markLocal([said(1, 'a'), mine('x', 'b')], 'x', 'failed', '网络不通')
    expect(failed[1]).toMatchObject({ local: 'failed', error: '网络不通' })
    expect(texts(confirmLocal(mergeMessages(failed, [said(2, 'c')]), 'x', 3))).toEqual(['a', 'c', 'b'])
  })
})

describe('rows', () => {
  it('separates days and names a speaker once', () => {
    const rows = toRows(
      [said(1, 'a'), said(2, 'b'), said(3, 'c', { created_at: '2026-11-23T08:00:00Z' })],
      (iso) => iso.slice(0, 10),
    )
    expect(rows.map((row) => row.type)).toEqual(['day', 'message', 'message', 'day', 'message'])
    expect(rows.filter((row) => row.type === 'message').map((row) => row.showName)).toEqual([true, false, true])
  })

  it('puts a message into one line for the lists', () => {
    expect(previewText(said(1, '一\n二'))).toBe('一 二')
    expect(previewText(said(1, '', { kind: 'image' }))).toBe('[图片]')
  })
})
