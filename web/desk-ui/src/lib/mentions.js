// Asking a colleague for advice: @name in a private note.

/** What stands after the @ just before the caret ('' right after it), or null when there is none. */
export function atQuery(text, caret) {
  const match = /@([^\s@]*)$/.exec(text.slice(0, caret))
  return match ? match[1] : null
}

/** Colleagues who fit, those who are there first. */
export function filterColleagues(colleagues, query) {
  const wanted = query.trim().toLowerCase()
  const here = (agent) => (agent.presence === 'offline' ? 1 : 0)
  return colleagues
    .filter((agent) => [agent.display_name, agent.name].some((name) => (name || '').toLowerCase().includes(wanted)))
    .sort((a, b) => here(a) - here(b))
}

/** The sign-in names of those who are named in a note. */
export function mentionsIn(text, colleagues) {
  // The longest name first and cut out: 「@小林子」 must not ask 小林 too.
  const byLength = [...colleagues].sort((a, b) => b.display_name.length - a.display_name.length)
  const names = []
  for (const { display_name: shown, name } of byLength) {
    if (!text.includes(`@${shown}`)) continue
    names.push(name)
    text = text.replaceAll(`@${shown}`, ' ')
  }
  return names
}
