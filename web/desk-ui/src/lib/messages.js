// How lists of messages grow. Pure functions: the same message may come by the answer to a POST, by the socket and by
// a refetch, in any order, and must be shown once.

/** A line the agent has written that the server has not confirmed. It has no seq; `local` is 'sending' or 'failed'. */
export function localMessage({ clientId, text, kind = 'text', mentions = [], agentName, now }) {
  return {
    seq: null,
    sender: 'agent',
    kind,
    text,
    agent_name: agentName,
    client_message_id: clientId,
    created_at: new Date(now).toISOString(),
    mentions,
    local: 'sending',
    error: '',
  }
}

const confirms = (local, incoming) =>
  incoming.sender === local.sender && incoming.client_message_id === local.client_message_id

/** Merge what came from the server into what is held: once each, by seq; unconfirmed lines stay at the end. */
export function mergeMessages(held, incoming) {
  const bySeq = new Map()
  let locals = []
  for (const message of held) {
    if (message.seq == null) locals.push(message)
    else bySeq.set(message.seq, message)
  }
  for (const message of incoming) {
    if (message.seq == null) continue
    if (message.client_message_id) locals = locals.filter((local) => !confirms(local, message))
    bySeq.set(message.seq, message)
  }
  return [...[...bySeq.values()].sort((a, b) => a.seq - b.seq), ...locals]
}

/** The answer to a POST: the local line gets its seq, unless the socket was faster and has brought the message. */
export function confirmLocal(held, clientId, seq) {
  const local = held.find((message) => message.seq == null && message.client_message_id === clientId)
  if (!local) return held
  if (held.some((message) => message.seq === seq)) return held.filter((message) => message !== local)
  const { local: _state, error: _error, mentions: _mentions, progress: _progress, ...confirmed } = local
  return mergeMessages(held.filter((message) => message !== local), [{ ...confirmed, seq }])
}

/** Change the state of a local line ('sending' | 'failed'). */
export function markLocal(held, clientId, local, error = '') {
  return held.map((message) =>
    message.seq == null && message.client_message_id === clientId ? { ...message, local, error } : message,
  )
}

export function newestSeq(messages) {
  return messages.reduce((seq, message) => Math.max(seq, message.seq ?? 0), 0)
}

/**
 * Rows for the page: a separator before the first message of each day and wherever another talk goes on (whose lines carry
 * it as `talk`, lib/history.js), and whether the name has to be shown.
 */
export function toRows(messages, dayOf) {
  const rows = []
  let day = null
  let previous = null
  let talk
  for (const message of messages) {
    const today = dayOf(message.created_at)
    const from = message.talk?.id
    if (from !== talk) {
      rows.push({ type: 'talk', key: `talk-${rows.length}-${from}`, talk: message.talk || null })
      previous = null
    }
    // The line that names another talk names the day of its beginning as well.
    const told = from !== talk && message.talk && dayOf(message.talk.started_at) === today
    if (today !== day && !told) {
      rows.push({ type: 'day', key: `day-${rows.length}-${today}`, day: today })
      previous = null
    }
    talk = from
    day = today
    const who = `${message.sender}/${message.agent_name || ''}/${message.kind === 'note'}`
    rows.push({ type: 'message', key: `${from || ''}${message.seq ?? message.client_message_id}`, message, showName: who !== previous })
    previous = who
  }
  return rows
}

/** One line of a message for lists. */
export function previewText(message) {
  if (!message) return ''
  const text = (message.text || '').replace(/\s+/g, ' ').trim()
  if (message.kind === 'image') return '[图片]'
  if (message.kind === 'rating') return text || '[评价]'
  if (message.kind === 'note') return `[备注] ${text}`
  if (message.kind === 'card') return text ? `[卡片] ${text}` : '[卡片]'
  return text
}
