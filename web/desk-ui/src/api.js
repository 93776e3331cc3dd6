// Every HTTP call of the desk. What goes over the wire is written down in the contract (docs); nothing else talks to it.

const BASE = '/api/v1/agent'
// A request that hangs must become a failed line that can be sent again (the client_message_id keeps it from doubling).
const TIMEOUT_MS = 15_000
const UPLOAD_TIMEOUT_MS = 90_000

let token = null
let unauthorized = () => {}
let clockOffset = 0

export class ApiError extends Error {
  constructor(status, message, retryAfter = null) {
    super(message)
    this.status = status
    this.retryAfter = retryAfter
  }
}

export function setToken(value) {
  token = value
}

export function onUnauthorized(handler) {
  unauthorized = handler
}

/** How far the server's clock is ahead of ours, in ms: waiting times are counted from the server's stamps. */
export function serverClockOffset() {
  return clockOffset
}

const FALLBACK = {
  0: '网络不通，请检查网络后再试。',
  403: '您没有权限做这个操作。',
  404: '没有找到，可能已被移走。',
  409: '状态已变化，请刷新后再试。',
  413: '内容太长了，请分几次发送。',
  422: '内容不符合要求，请检查后再试。',
  429: '操作太频繁，请稍后再试。',
}

function noteServerTime(response) {
  const stamp = Date.parse(response.headers.get('Date') || '')
  // The header has whole seconds and the answer took time: below two seconds the difference means nothing.
  if (!Number.isNaN(stamp)) clockOffset = Math.abs(stamp - Date.now()) < 2000 ? 0 : stamp - Date.now()
}

function problemOf(status, said, retryAfter) {
  let body = {}
  try {
    body = JSON.parse(said) || {}
  } catch {
    // Not problem JSON (a proxy's page, say): the fallback sentence has to do.
  }
  const text = body.detail || body.title || FALLBACK[status] || '服务暂时不可用，请稍后再试。'
  return new ApiError(status, text, Number(retryAfter) || null)
}

// A late 401 of a session that is already over must not throw out the one that followed it.
function noteRefusal(problem, usedToken) {
  if (problem.status === 401 && usedToken && usedToken === token) unauthorized(problem.message)
  return problem
}

export async function request(method, path, body, { signIn = false, base = BASE, timeout = TIMEOUT_MS } = {}) {
  const usedToken = token
  const headers = { Accept: 'application/json' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (usedToken && !signIn) headers.Authorization = `Bearer ${usedToken}`
  let response
  try {
    response = await fetch(base + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    })
  } catch (error) {
    throw new ApiError(0, error?.name === 'TimeoutError' ? '服务器没有及时回应，请再试一次。' : FALLBACK[0])
  }
  noteServerTime(response)
  if (!response.ok) {
    const problem = problemOf(response.status, await response.text().catch(() => ''), response.headers.get('Retry-After'))
    throw signIn ? problem : noteRefusal(problem, usedToken)
  }
  if (response.status === 204) return null
  try {
    const text = await response.text()
    return text ? JSON.parse(text) : null
  } catch {
    // Cut off on the way, or not our server at all (a hotel's sign-in page).
    throw new ApiError(0, FALLBACK[0])
  }
}

/** A form with a file, by XMLHttpRequest: fetch does not say how far an upload is. onProgress gets 0 to 1. */
function upload(path, form, onProgress) {
  const usedToken = token
  const sent = new XMLHttpRequest()
  sent.open('POST', BASE + path)
  sent.timeout = UPLOAD_TIMEOUT_MS
  sent.setRequestHeader('Accept', 'application/json')
  sent.setRequestHeader('Authorization', `Bearer ${usedToken}`)
  sent.upload.onprogress = ({ loaded, total }) => total && onProgress(loaded / total)
  return new Promise((resolve, reject) => {
    sent.onload = () => {
      if (sent.status >= 400) {
        return reject(noteRefusal(problemOf(sent.status, sent.responseText, sent.getResponseHeader('Retry-After')), usedToken))
      }
      try {
        resolve(JSON.parse(sent.responseText))
      } catch {
        reject(new ApiError(0, FALLBACK[0]))
      }
    }
    sent.onerror = () => reject(new ApiError(0, FALLBACK[0]))
    sent.ontimeout = () => reject(new ApiError(0, '图片太久没有传完，请再试一次。'))
    sent.send(form)
  })
}

function pictureForm(file, clientMessageId) {
  const form = new FormData()
  form.append('file', file, file.name)
  form.append('client_message_id', clientMessageId)
  return form
}

const talk = (id, rest = '') => `/conversations/${encodeURIComponent(id)}${rest}`
const order = (id, number, rest = '') => talk(id, `/orders/${encodeURIComponent(number)}${rest}`)

export const api = {
  signIn: (name, password) => request('POST', '/session', { name, password }, { signIn: true }),
  signOut: () => request('DELETE', '/session'),
  me: () => request('GET', '/me'),
  setPresence: (state) => request('PUT', '/presence', { state }),

  list: (state) => request('GET', `/conversations?state=${state}`),
  next: () => request('POST', '/next'),
  accept: (id) => request('POST', talk(id, '/accept')),
  talk: (id) => request('GET', talk(id)),
  messages: (id, after) => request('GET', talk(id, `/messages?after=${after}`)),
  send: (id, text, clientMessageId) =>
    request('POST', talk(id, '/messages'), { text, client_message_id: clientMessageId }),
  picture: (id, file, clientMessageId, onProgress) =>
    upload(talk(id, '/images'), pictureForm(file, clientMessageId), onProgress),
  channel: (id) => request('GET', talk(id, '/channel')),
  earlier: (id, other) => request('GET', talk(id, `/earlier/${encodeURIComponent(other)}`)),
  callBack: (id, wanted) => request('POST', talk(id, '/call-back'), wanted),
  note: (id, text, clientMessageId, mentions) =>
    request('POST', talk(id, '/notes'), { text, client_message_id: clientMessageId, mentions }),
  transfer: (id, target) => request('POST', talk(id, '/transfer'), target),
  close: (id, reason, tags) => request('POST', talk(id, '/close'), { reason, tags }),
  read: (id, seq) => request('POST', talk(id, '/read'), { seq }),
  snooze: (id, minutes) => request('POST', talk(id, '/snooze'), { minutes }),
  wake: (id) => request('DELETE', talk(id, '/snooze')),
  setTags: (id, tags) => request('PUT', talk(id, '/tags'), { tags }),

  /** Articles for the customer's last line, or for what the agent looks for. */
  suggestions: (id, wanted = '') =>
    request('GET', talk(id, `/suggestions${wanted ? `?q=${encodeURIComponent(wanted)}` : ''}`)),
  sendArticle: (id, article, clientMessageId) =>
    request('POST', talk(id, '/articles'), { article_id: article, client_message_id: clientMessageId }),
  askRating: (id) => request('POST', talk(id, '/ask-rating')),
  sendCoupon: (id, template) => request('POST', talk(id, '/coupons'), { template }),
  openTicket: (id, ticket) => request('POST', talk(id, '/tickets'), ticket),
  order: (id, number) => request('GET', order(id, number)),
  cancelOrder: (id, number, reason) => request('POST', order(id, number, '/cancel'), { reason }),
  changeAddress: (id, number, to) => request('POST', order(id, number, '/address'), to),
  customer: (id) => request('GET', talk(id, '/customer')),
  customerNote: (id, text) => request('POST', talk(id, '/customer-notes'), { text }),

  tasks: () => request('GET', '/tasks'),
  taskDone: (number, result) => request('POST', `/tasks/${encodeURIComponent(number)}/done`, { result }),
  changePassword: (old, fresh) => request('PUT', '/me/password', { old, new: fresh }),

  tags: () => request('GET', '/tags'),
  couponTemplates: () => request('GET', '/coupons/templates'),
  ticketKinds: () => request('GET', '/ticket-kinds'),
  cannedReplies: () => request('GET', '/canned-replies'),
  colleagues: () => request('GET', '/colleagues'),
  closeReasons: () => request('GET', '/close-reasons'),
}
