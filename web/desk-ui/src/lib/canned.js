// Canned replies: found by what stands after a slash, with the names filled in.

/** What stands after the slash just before the caret ('' right after it), or null when no slash opens a search. */
export function slashQuery(text, caret) {
  const match = /(?:^|\s)\/([^\s/]*)$/.exec(text.slice(0, caret))
  return match ? match[1] : null
}

/** Replies that fit, those whose shortcut begins with the query first. */
export function filterReplies(replies, query) {
  const wanted = query.trim().toLowerCase()
  if (!wanted) return replies
  const rank = (reply) => {
    const shortcut = (reply.shortcut || '').replace(/^\//, '').toLowerCase()
    if (shortcut.startsWith(wanted)) return 0
    if ((reply.title || '').toLowerCase().includes(wanted)) return 1
    if (shortcut.includes(wanted) || (reply.text || '').toLowerCase().includes(wanted)) return 2
    return 3
  }
  return replies
    .map((reply, index) => ({ reply, index, rank: rank(reply) }))
    .filter((entry) => entry.rank < 3)
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map((entry) => entry.reply)
}

export function fillVariables(text, { customer, agent }) {
  return text.replaceAll('{客户}', customer || '您').replaceAll('{坐席}', agent || '')
}

/** Put `insert` in place of text[from, to). Returns the new text and where the caret belongs. */
export function replaceRange(text, from, to, insert) {
  return { text: text.slice(0, from) + insert + text.slice(to), caret: from + insert.length }
}
