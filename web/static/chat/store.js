// What the customer sees, worked out from what is known. Pure functions, no DOM, no network: the same line may come by
// the answer to a POST, by the socket, by a catch-up and from another tab, in any order, and must be shown once.

const SEPARATOR_AFTER_MS = 5 * 60 * 1000

/**
 * messages: by seq, each once.
 * cursor: every message up to this seq is known to be here. It is what we ask the server to go on from, so it grows only
 * with what the server listed – never with the seq of an own line, before which a line of the bot may still be missing.
 * readSeq: the agent has read up to here.
 */
export function emptyTalk() {
  return { messages: [], cursor: 0, readSeq: 0, state: 'bot', queue: null, agent: null }
}

function merged(held, incoming) {
  const bySeq = new Map(held.map((message) => [message.seq, message]))
  for (const message of incoming) {
    if (!message || !Number.isInteger(message.seq) || message.kind === 'note') continue
    const present = bySeq.get(message.seq)
    // The server's own copy replaces the one we made up when it acknowledged the line, never the other way round.
    if (present && !present.provisional && message.provisional) continue
    bySeq.set(message.seq, message)
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq)
}

/** A complete answer of the server: everything after `after` (≤ our cursor) that there is. */
export function receiveList(talk, incoming, after = talk.cursor) {
  const messages = merged(talk.messages, incoming)
  const newest = incoming.reduce((seq, message) => Math.max(seq, message?.seq ?? 0), 0)
  // A list that starts behind our cursor proves nothing about what lies between.
  const cursor = after <= talk.cursor ? Math.max(talk.cursor, newest) : talk.cursor
  return withRead({ ...talk, messages, cursor })
}

/** One pushed message. gap: something may be missing before it (or may not: seq has holes) – ask the server. */
export function receivePush(talk, message) {
  const messages = merged(talk.messages, [message])
  const next = message.seq === talk.cursor + 1
  const cursor = next ? message.seq : talk.cursor
  return { talk: withRead({ ...talk, messages, cursor }), gap: message.seq > talk.cursor + 1 }
}

/** The server has taken an own line: it keeps its place from now on, until the server's own copy comes. */
export function acknowledge(talk, item, seq) {
  if (talk.messages.some((message) => message.client_message_id === item.client_message_id)) return talk
  const message = {
    seq,
    sender: 'customer',
    kind: item.kind,
    text: item.text,
    payload: item.kind === 'image' ? { url: '', alt: '' } : undefined,
    client_message_id: item.client_message_id,
    created_at: item.created_at,
    provisional: true,
  }
  return { ...talk, messages: merged(talk.messages, [message]) }
}

export function receiveState(talk, { state, queue, agent, read_seq: readSeq }) {
  const next = { ...talk, state: state ?? talk.state, queue: queue ?? null, agent: agent ?? null }
  return receiveRead(next, readSeq)
}

/** Whether dots of this writer ('bot' or 'agent') may be shown: the bot never writes while people have the talk. */
export function mayType(talk, who) {
  return talk.state === { bot: 'bot', agent: 'with_agent' }[who]
}

export function receiveRead(talk, seq) {
  return { ...talk, readSeq: Math.max(talk.readSeq, seq || 0) }
}

// Who answers has read: so the mark is right after a reload too, when earlier `read` events are not told again.
function withRead(talk) {
  const answered = talk.messages.reduce((seq, m) => (m.sender === 'agent' && m.seq > seq ? m.seq : seq), 0)
  return answered > talk.readSeq ? { ...talk, readSeq: answered } : talk
}

/** True when the server is known to have this own line. */
export function hasOwn(talk, clientMessageId) {
  return talk.messages.some((message) => message.client_message_id === clientMessageId)
}

/**
 * The lines of one talk in order: what the server has by seq, then own lines still on their way, in the order written.
 * A line that failed for good stays where it was written, or it would sink below every new answer.
 */
export function lines(talk, outbox = []) {
  const known = new Set(talk.messages.map((message) => message.client_message_id).filter(Boolean))
  const waiting = outbox
    .filter((item) => !known.has(item.client_message_id))
    .sort(byWriting)
    .map(asLine)
  const failed = waiting.filter((line) => line.local === 'failed')
  const result = []
  let next = 0
  for (const message of talk.messages) {
    while (next < failed.length && failed[next].afterSeq < message.seq) result.push(failed[next++])
    result.push(message)
  }
  return [...result, ...failed.slice(next), ...waiting.filter((line) => line.local !== 'failed')]
}

export function byWriting(a, b) {
  return a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : (a.n ?? 0) - (b.n ?? 0)
}

function asLine(item) {
  return {
    seq: null,
    sender: 'customer',
    kind: item.kind,
    text: item.text,
    client_message_id: item.client_message_id,
    created_at: item.created_at,
    afterSeq: item.after_seq ?? 0,
    local: item.failed ? 'failed' : 'pending',
    error: item.failed || '',
  }
}

export const lineKey = (line) =>
  line.client_message_id && line.sender === 'customer' ? `c:${line.client_message_id}` : `s:${line.seq}`

/**
 * Rows for the page: { type:'time', at } and { type:'line', line, first, live, read }.
 * first: begins a row of lines of one sender (name and avatar). live: its quick replies can still be used.
 * read: '已读' or '未读' under an own line, while a person is there to read it.
 */
export function rows(all, talk) {
  const result = []
  const live = liveButtons(all, talk)
  const { readKey, withAgent } = readMark(all, talk)
  let before = null
  let lastAt = -Infinity
  for (const line of all) {
    const at = Date.parse(line.created_at)
    // The clock of a line not yet taken is the visitor's own and may be wrong: it makes no separator but the first.
    const counts = line.seq !== null || before === null
    if (counts && Number.isFinite(at) && at - lastAt > SEPARATOR_AFTER_MS) {
      result.push({ type: 'time', key: `t:${lineKey(line)}`, at: line.created_at })
      before = null
    }
    if (counts && Number.isFinite(at)) lastAt = Math.max(lastAt, at)
    const who = `${line.sender}/${line.agent_name ?? ''}`
    const own = line.sender === 'customer'
    const key = lineKey(line)
    const unread = own && withAgent && line.seq !== null && line.seq > talk.readSeq
    result.push({
      type: 'line',
      key,
      line,
      first: who !== before,
      live: key === live,
      read: key === readKey ? '已读' : unread ? '未读' : '',
    })
    before = who
  }
  return result
}

// Only the newest question can be answered by a tap: one further up would answer what is not asked any more. What the
// bot adds after its own question in the same breath (a card, a second sentence) does not spend it.
function liveButtons(all, talk) {
  if (talk.state === 'with_agent' || talk.state === 'closed') return null
  for (let i = all.length - 1; i >= 0; i -= 1) {
    const line = all[i]
    if (line.kind === 'buttons') return lineKey(line)
    // Waiting for a person: what the bot asked before that is over, unless the customer gives up waiting.
    if (line.sender === 'system' && talk.state === 'queued') return null
    if (line.sender === 'agent' || (line.sender === 'customer' && line.local !== 'failed')) return null
  }
  return null
}

// 已读 stands only once, under the newest line that has been read, as it says so for all above it.
function readMark(all, talk) {
  const withAgent = talk.state === 'with_agent'
  if (!withAgent) return { readKey: null, withAgent }
  let readKey = null
  for (const line of all) {
    if (line.sender === 'customer' && line.seq !== null && line.seq <= talk.readSeq) readKey = lineKey(line)
  }
  return { readKey, withAgent }
}

/** The newest seq that came from the other side, for 'read' and for counting what is unread. */
export function newestIncoming(talk) {
  return talk.messages.reduce((seq, m) => (m.sender !== 'customer' && m.seq > seq ? m.seq : seq), 0)
}
