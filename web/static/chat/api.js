// The HTTP contract of the customer's side. Every call ends: a request that hangs would hold up the whole outbox.

const BASE = '/api/v1'
const TIMEOUT_MS = 20_000

/**
 * status 0: the server could not be reached. retryAfter: seconds, from a 429 or 503. code, fields: of the problem, which
 * value was wrong.
 */
export class ApiError extends Error {
  constructor(status, detail, { retryAfter = null, code = '', fields = null } = {}) {
    super(detail)
    Object.assign(this, { status, detail, retryAfter, code, fields })
  }

  /** Not reached, or only a proxy that could not reach it either (a restart). */
  get isNetwork() {
    return this.status === 0 || (this.status >= 502 && this.status <= 504)
  }
}

export function parseRetryAfter(value, now = Date.now()) {
  if (!value) return null
  if (/^\d+(\.\d+)?$/.test(value.trim())) return Number(value)
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1000)
}

function problem(status, body, retryAfter) {
  const told = body && typeof body === 'object' ? body.detail || body.title : ''
  const detail = typeof told === 'string' && told ? told : `操作没有成功，请稍后再试（${status}）`
  return new ApiError(status, detail, { retryAfter, code: body?.code, fields: body?.fields })
}

async function call(method, path, { token, body, signal, timeout = TIMEOUT_MS } = {}) {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), timeout)
  signal?.addEventListener('abort', () => abort.abort(), { once: true })
  try {
    const headers = { Accept: 'application/json' }
    if (token) headers.Authorization = `Bearer ${token}`
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    const response = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: abort.signal,
      cache: 'no-store',
      credentials: 'same-origin',
    })
    const text = await response.text()
    const data = parse(text)
    if (response.ok) return data
    throw problem(response.status, data, parseRetryAfter(response.headers.get('Retry-After')))
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw new ApiError(0, '网络好像断开了，请检查网络后再试')
  } finally {
    clearTimeout(timer)
  }
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null
  } catch {
    return null
  }
}

const at = (talk, rest) => `/conversations/${encodeURIComponent(talk.id)}/${rest}`

export const begin = (visitorId, customerToken) =>
  call('POST', '/conversations', {
    body: { channel: 'web', visitor_id: visitorId, ...(customerToken ? { customer_token: customerToken } : {}) },
  })

export const messages = (talk, after, { wait = 0, signal } = {}) =>
  call('GET', at(talk, `messages?after=${after}${wait ? `&wait=${wait}` : ''}`), {
    token: talk.token,
    signal,
    timeout: TIMEOUT_MS + wait * 1000,
  })

export const say = (talk, clientMessageId, text) =>
  call('POST', at(talk, 'messages'), { token: talk.token, body: { client_message_id: clientMessageId, text } })

/** XMLHttpRequest, because fetch cannot tell how far an upload has come. onProgress gets 0…1. */
export function sendImage(talk, clientMessageId, file, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData()
    form.append('client_message_id', clientMessageId)
    form.append('file', file, file.name || 'image')
    const request = new XMLHttpRequest()
    request.open('POST', BASE + at(talk, 'images'))
    request.setRequestHeader('Authorization', `Bearer ${talk.token}`)
    request.setRequestHeader('Accept', 'application/json')
    request.timeout = 120_000
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total)
    request.onload = () => {
      const body = parse(request.responseText)
      if (request.status >= 200 && request.status < 300) resolve(body)
      else reject(problem(request.status, body, parseRetryAfter(request.getResponseHeader('Retry-After'))))
    }
    request.onerror =
      request.ontimeout =
      request.onabort =
        () => reject(new ApiError(0, '图片没有发出去，稍后会自动重发'))
    request.send(form)
  })
}

const post = (rest) => (talk, body) => call('POST', at(talk, rest), { token: talk.token, body: body ?? {} })

export const handoff = post('handoff')
export const leaveQueue = post('leave-queue')
export const leaveMessage = post('leave-message')
export const callBack = post('call-back')
export const rate = post('rating')
export const close = post('close')
export const read = (talk, seq) => post('read')(talk, { seq })

export const demoCustomers = () => call('GET', '/demo/customers')
export const demoSignIn = (customerId) => call('POST', '/demo/sign-in', { body: { customer_id: customerId } })
