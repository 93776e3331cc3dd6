// One customer's talks on all channels as one history. Pure functions.

/**
 * The lines of the open talk and of the others, by time; lines that wait for the server stay at the end. Lines of another
 * talk carry it as `talk`. earlier: [{ conversation, messages }].
 */
export function oneHistory(messages, earlier) {
  if (!earlier.length) return messages
  const others = earlier.flatMap(({ conversation, messages: lines }) =>
    lines.map((line) => ({ ...line, talk: conversation })),
  )
  const confirmed = [...others, ...messages.filter((line) => line.seq != null)]
  const at = new Map(confirmed.map((line) => [line, Date.parse(line.created_at)]))
  return [...confirmed.sort((a, b) => at.get(a) - at.get(b)), ...messages.filter((line) => line.seq == null)]
}

/** Which of the customer's other talks comes next, going back; done: ids that need not be asked for again. */
export function nextEarlier(conversations, done) {
  const [next] = [...(conversations || [])]
    .filter((talk) => !done.includes(talk.id))
    .sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at))
  return next || null
}
