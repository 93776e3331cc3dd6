// Where one is on the page stands behind the #, so that a reload, a bookmark and the way back work.

export const VIEWS = [
  { name: 'board', label: '现场' },
  { name: 'talks', label: '会话' },
  { name: 'agents', label: '坐席' },
  { name: 'hours', label: '服务时间' },
  { name: 'assignments', label: '分配与公平' },
  { name: 'trends', label: '趋势' },
]
const KNOWN = [...VIEWS.map((view) => view.name), 'wall']

/** '#talks/abc' → { view: 'talks', id: 'abc' }; what is not known is the board. */
export function routeOf(hash) {
  const [view, id = ''] = hash.replace(/^#\/?/, '').split('/')
  if (!KNOWN.includes(view)) return { view: 'board', id: '' }
  try {
    return { view, id: decodeURIComponent(id) }
  } catch {
    return { view, id: '' } // half of an escape, typed by hand
  }
}

export const hashOf = (view, id = '') => `#${view}${id ? `/${encodeURIComponent(id)}` : ''}`

/** The view a digit key stands for. */
export const viewOfKey = (key) => VIEWS[Number(key) - 1]?.name
