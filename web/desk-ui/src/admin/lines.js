/** The lines of a text that hold anything, each once. */
export const lines = (text) => [...new Set(text.split('\n').map((line) => line.trim()).filter(Boolean))]

/** "1 分 20 秒" between two stamps, or since the first. */
export function lasted(from, to, now = Date.now()) {
  if (!from) return ''
  const seconds = Math.max(0, Math.round(((to ? Date.parse(to) : now) - Date.parse(from)) / 1000))
  return seconds < 60 ? `${seconds} 秒` : `${Math.floor(seconds / 60)} 分 ${seconds % 60} 秒`
}
