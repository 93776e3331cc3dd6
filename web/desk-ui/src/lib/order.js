// In which order the agent's own talks stand. Pure functions.

export const isNew = (item) => item.picked_up === false
export const isSnoozed = (item, now) => Boolean(item.snoozed_until) && Date.parse(item.snoozed_until) > now

const time = (iso) => Date.parse(iso || '') || 0

// New ones first (their clock runs), then those who wait for an answer, the longest first, then the answered ones.
// Among the answered ones the order of coming stays: a line written there must not make the list jump.
function rank(item) {
  if (isNew(item)) return [0, time(item.accepted_at)]
  if (item.waiting_since) return [1, time(item.waiting_since)]
  return [2, time(item.accepted_at || item.started_at)]
}

/** `{ open, snoozed }`: the talks to work on, and those put off, the soonest back first. */
export function orderTalks(items, now) {
  const byRank = (a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]
  return {
    open: items.filter((item) => !isSnoozed(item, now)).sort(byRank),
    snoozed: items.filter((item) => isSnoozed(item, now)).sort((a, b) => time(a.snoozed_until) - time(b.snoozed_until)),
  }
}

/** Keeps items in the order of `ids` (the pointer is over the list); what is not among them comes first. */
export function holdOrder(items, ids) {
  if (!ids) return items
  const place = new Map(ids.map((id, index) => [id, index]))
  return [...items].sort((a, b) => (place.get(a.id) ?? -1) - (place.get(b.id) ?? -1))
}
