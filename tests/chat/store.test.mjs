// The merge logic and the words of the customer's page. Run with: node --test tests/chat/
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { dueText, waitText } from '../../web/static/chat/format.js'
import * as store from '../../web/static/chat/store.js'
import { waitingSubtitle, waitingWords } from '../../web/static/chat/waiting.js'

const at = (second) => new Date(Date.UTC(2026, 10, 22, 8, 0, second)).toISOString()
const bot = (seq, text = `bot ${seq}`, more = {}) => ({
  seq,
  sender: 'bot',
  kind: 'text',
  text,
  created_at: at(seq),
  ...more,
})
const own = (seq, id, text = `own ${seq}`) => ({
  seq,
  sender: 'customer',
  kind: 'text',
  text,
  client_message_id: id,
  created_at: at(seq),
})
const agent = (seq, text = `agent ${seq}`) => ({
  seq,
  sender: 'agent',
  kind: 'text',
  text,
  agent_name: '小林',
  created_at: at(seq),
})
const waiting = (id, second, more = {}) => ({
  client_message_id: id,
  kind: 'text',
  text: id,
  created_at: at(second),
  after_seq: 0,
  ...more,
})
const listed = (...messages) => store.receiveList(store.emptyTalk(), messages)
const seqs = (talk) => talk.messages.map((message) => message.seq)
const shown = (talk, outbox) => store.lines(talk, outbox).map((line) => line.seq ?? line.client_message_id)

test('the same message by push, catch-up and poll is shown once, in the order of seq', () => {
  let talk = listed(bot(1), bot(2))
  talk = store.receivePush(talk, bot(4)).talk
  talk = store.receiveList(talk, [bot(3), bot(4)])
  talk = store.receivePush(talk, bot(3)).talk
  assert.deepEqual(seqs(talk), [1, 2, 3, 4])
})

test('a push right after what is known moves the cursor', () => {
  const { talk, gap } = store.receivePush(listed(bot(1)), bot(2))
  assert.equal(talk.cursor, 2)
  assert.equal(gap, false)
})

test('a push behind a hole is shown at once, but the server is asked and the cursor stays', () => {
  const { talk, gap } = store.receivePush(listed(bot(1)), bot(3))
  assert.deepEqual(seqs(talk), [1, 3])
  assert.equal(talk.cursor, 1)
  assert.equal(gap, true)
})

test('a hole in what the server lists is no loss', () => {
  assert.equal(listed(bot(1), bot(5)).cursor, 5)
})

test('a list that starts behind the cursor does not move it', () => {
  const talk = store.receiveList(listed(bot(1)), [bot(9)], 7)
  assert.equal(talk.cursor, 1)
})

test('an old message pushed again changes nothing', () => {
  const { talk, gap } = store.receivePush(listed(bot(1), bot(2)), bot(1))
  assert.deepEqual(seqs(talk), [1, 2])
  assert.equal(gap, false)
})

test('an acknowledged line does not move the cursor: a line of the bot before it may still be missing', () => {
  const talk = store.acknowledge(listed(bot(1)), waiting('a', 5), 3)
  assert.equal(talk.cursor, 1)
  assert.deepEqual(seqs(store.receiveList(talk, [bot(2), own(3, 'a')])), [1, 2, 3])
})

test('an own line stays one line from pending over acknowledged to confirmed, with the same key', () => {
  let talk = listed(bot(1))
  const item = waiting('a', 5)
  const keys = [store.lineKey(store.lines(talk, [item]).at(-1))]
  talk = store.acknowledge(talk, item, 2)
  keys.push(store.lineKey(store.lines(talk, [item]).at(-1)))
  talk = store.receivePush(talk, own(2, 'a')).talk
  keys.push(store.lineKey(store.lines(talk, [item]).at(-1)))
  assert.deepEqual(new Set(keys), new Set(['c:a']))
  assert.deepEqual(shown(talk, [item]), [1, 2])
  assert.equal(talk.messages[1].provisional, undefined)
})

test('a push that is faster than the answer to the POST settles the line', () => {
  const item = waiting('a', 5)
  let talk = store.receivePush(listed(bot(1)), own(2, 'a')).talk
  assert.deepEqual(shown(talk, [item]), [1, 2])
  talk = store.acknowledge(talk, item, 2)
  assert.deepEqual(shown(talk, []), [1, 2])
})

test('the answer to the POST never replaces the copy of the server', () => {
  const talk = store.receivePush(listed(bot(1)), own(2, 'a', 'as the server has it')).talk
  assert.equal(store.acknowledge(talk, waiting('a', 5), 2).messages[1].text, 'as the server has it')
})

test('two equal texts with different ids stay two lines', () => {
  assert.deepEqual(shown(listed(bot(1), own(2, 'a', '在吗')), [waiting('b', 6, { text: '在吗' })]), [1, 2, 'b'])
})

test('lines on their way stand last, in the order they were written', () => {
  const outbox = [waiting('b', 9), waiting('a', 8), waiting('c', 9, { n: 2 })]
  assert.deepEqual(shown(listed(bot(1), bot(30)), outbox), [1, 30, 'a', 'b', 'c'])
})

test('a line refused for good stays where it was written', () => {
  const outbox = [waiting('x', 5, { failed: '太长了', after_seq: 2 }), waiting('y', 6, { after_seq: 2 })]
  const talk = listed(bot(1), bot(2), bot(3))
  assert.deepEqual(shown(talk, outbox), [1, 2, 'x', 3, 'y'])
  assert.equal(store.lines(talk, outbox)[2].error, '太长了')
})

test('a note for agents is never shown, and lines without a seq are ignored', () => {
  assert.deepEqual(seqs(listed(bot(1), bot(2, 'x', { kind: 'note' }), null, { seq: 'three' })), [1])
})

test('only the newest question can be answered by a tap', () => {
  const question = (seq) => bot(seq, '?', { kind: 'buttons', payload: { buttons: [{ title: 'a', value: 'a' }] } })
  const live = (talk, outbox = []) =>
    store
      .rows(store.lines(talk, outbox), talk)
      .filter((row) => row.live)
      .map((row) => row.line.seq)
  assert.deepEqual(live(listed(question(1), question(2))), [2])
  assert.deepEqual(live(listed(question(1), bot(2))), [1])
  assert.deepEqual(live(listed(question(1)), [waiting('a', 5)]), [])
  assert.deepEqual(live(listed(question(1), own(2, 'a'))), [])
  assert.deepEqual(live(listed(question(1), agent(2))), [])
  assert.deepEqual(live(store.receiveState(listed(question(1)), { state: 'closed' })), [])
  assert.deepEqual(live(listed(question(1)), [waiting('a', 5, { failed: 'no', after_seq: 1 })]), [1])
})

test('read marks stand under own lines while an agent is there, once', () => {
  let talk = listed(own(1, 'a'), own(2, 'b'), own(4, 'c'))
  const marks = () =>
    store
      .rows(store.lines(talk), talk)
      .filter((row) => row.type === 'line')
      .map((row) => row.read)
  talk = store.receiveRead(talk, 2)
  assert.deepEqual(marks(), ['', '', ''])
  talk = store.receiveState(talk, { state: 'with_agent', agent: { name: '小林' } })
  assert.deepEqual(marks(), ['', '已读', '未读'])
  talk = store.receiveRead(talk, 1)
  assert.equal(talk.readSeq, 2)
})

test('who has answered has read, also after a reload', () => {
  assert.equal(listed(own(1, 'a'), agent(2)).readSeq, 2)
})

test('how far the agent has read is taken from the state, so the mark is right after a reload', () => {
  const talk = store.receiveState(listed(own(1, 'a')), { state: 'with_agent', agent: { name: '小林' }, read_seq: 1 })
  assert.equal(talk.readSeq, 1)
  assert.equal(store.receiveState(talk, { state: 'with_agent' }).readSeq, 1)
})

test('only who has the talk is shown typing: never the bot while people have it', () => {
  const typing = (state) => ['bot', 'agent'].filter((who) => store.mayType({ ...store.emptyTalk(), state }, who))
  assert.deepEqual(typing('bot'), ['bot'])
  assert.deepEqual(typing('queued'), [])
  assert.deepEqual(typing('with_agent'), ['agent'])
  assert.deepEqual(typing('closed'), [])
})

test('who waits is told place and wait; only the place is in what is read aloud', () => {
  const queue = { position: 2, estimated_wait_seconds: 190, open: true, opens: '' }
  assert.deepEqual(waitingWords(queue), { place: '您排在第 2 位', rest: '预计约 3 分钟' })
  assert.equal(waitingWords({ ...queue, estimated_wait_seconds: 100 }).place, waitingWords(queue).place)
  assert.equal(waitingWords({ ...queue, estimated_wait_seconds: 5 }).rest, '马上就有同事接入')
})

test('out of hours and with nobody there no wait is promised', () => {
  const queue = { position: 1, estimated_wait_seconds: null, open: true, opens: '' }
  assert.match(waitingWords(queue).place, /都不在线/)
  assert.match(waitingSubtitle(queue), /等客服同事上线/)
  const closed = { ...queue, estimated_wait_seconds: 300, open: false, opens: '明天 09:00' }
  assert.equal(waitingWords(closed).place, '现在是休息时间，明天 09:00 上班')
  assert.doesNotMatch(waitingWords(closed).rest, /分钟/)
  assert.equal(waitingWords({ ...closed, opens: '' }).place, '现在是休息时间')
})

test('a wait is told in minutes as the server rounds them', () => {
  assert.deepEqual([0, 59, 60, 89, 91, 3599, 3600, 4200].map(waitText), [
    '马上',
    '马上',
    '约 1 分钟',
    '约 1 分钟',
    '约 2 分钟',
    '约 1 小时',
    '约 1 小时',
    '约 1 小时 10 分钟',
  ])
  assert.equal(waitText(null), '')
})

test('a due time names the day as people do', () => {
  const now = new Date(2026, 10, 22, 23, 50)
  const told = (...parts) => dueText(new Date(2026, ...parts).toISOString(), now)
  assert.equal(told(10, 22, 23, 55), '今天 23:55')
  assert.equal(told(10, 23, 9, 0), '明天 09:00')
  assert.equal(told(10, 24, 9, 5), '后天 09:05')
  assert.equal(told(11, 1, 9, 0), '12月1日 09:00')
})

test('times stand between lines more than five minutes apart, and rows begin anew after them', () => {
  const late = { ...bot(2), created_at: at(301 + 1) }
  const rows = store.rows(store.lines(listed(bot(1), late)), store.emptyTalk())
  assert.deepEqual(
    rows.map((row) => row.type),
    ['time', 'line', 'time', 'line'],
  )
  assert.equal(rows[3].first, true)
  const close = store.rows(store.lines(listed(bot(1), bot(2))), store.emptyTalk())
  assert.deepEqual(
    close.map((row) => row.first),
    [undefined, true, false],
  )
})

test('a wrong clock of the visitor makes no separator', () => {
  const ahead = waiting('a', 0, { created_at: '2027-01-01T00:00:00Z' })
  const rows = store.rows(store.lines(listed(bot(1)), [ahead]), store.emptyTalk())
  assert.deepEqual(
    rows.map((row) => row.type),
    ['time', 'line', 'line'],
  )
})

test('what is unread is counted from the other side only', () => {
  assert.equal(store.newestIncoming(listed(bot(1), own(2, 'a'), agent(5), own(7, 'b'))), 5)
})

test('nothing is changed in place', () => {
  const talk = Object.freeze({ ...listed(bot(1)), messages: Object.freeze(listed(bot(1)).messages) })
  store.receivePush(talk, bot(2))
  store.acknowledge(talk, waiting('a', 1), 3)
  store.lines(talk, Object.freeze([waiting('b', 2), waiting('a', 1)]))
  assert.deepEqual(seqs(talk), [1])
})
