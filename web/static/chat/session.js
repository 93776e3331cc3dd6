// Who writes and where: kept per signed-in customer, so that two people on one computer never see each other's talk.

import * as storage from './storage.js'

const VISITOR = 'zhike:visitor'
export const DEMO = 'zhike:demo'

export const talkKey = (key) => `zhike:talk:${key}`

export function visitorId() {
  let id = storage.get(VISITOR)
  if (!id) {
    id = storage.newId()
    storage.set(VISITOR, id)
  }
  return id
}

export const GUEST = { key: 'guest', token: null, name: '', level: '' }

/** The demo's chosen customer, or the guest. */
export function demoIdentity() {
  const kept = storage.getJson(DEMO)
  if (!kept?.token) return GUEST
  return { key: `demo-${kept.id}`, id: kept.id, token: kept.token, name: kept.name, level: kept.level_label }
}

export function keepDemo(customer, token) {
  if (!customer) storage.remove(DEMO)
  else storage.setJson(DEMO, { id: customer.id, name: customer.name, level_label: customer.level_label, token })
}

/**
 * The customer a shop's site has signed in. Tokens are renewed while the customer stays the same, so the key is taken
 * from the token's subject. It only names a drawer here; whether the token is good is for the server to say.
 */
export function tokenIdentity(token) {
  if (typeof token !== 'string' || !token) return GUEST
  return { key: `site-${subject(token) || fingerprint(token)}`, token, name: '', level: '' }
}

function subject(token) {
  try {
    const body = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')
    const { sub } = JSON.parse(atob(body))
    return sub === undefined || sub === null ? '' : String(sub)
  } catch {
    return ''
  }
}

function fingerprint(text) {
  let hash = 5381
  for (let i = 0; i < text.length; i += 1) hash = ((hash * 33) ^ text.charCodeAt(i)) >>> 0
  return `t${hash.toString(36)}`
}

export function loadTalk(key) {
  const kept = storage.getJson(talkKey(key))
  return kept?.id && kept?.token ? { id: String(kept.id), token: String(kept.token) } : null
}

export const keepTalk = (key, talk) => storage.setJson(talkKey(key), { id: talk.id, token: talk.token })

// Drafts belong to their tab: kept for all tabs, what one writes would turn up in the other and be sent twice.
export const draft = (key) => storage.tab.get(`zhike:draft:${key}`) || ''

export function keepDraft(key, text) {
  if (text) storage.tab.set(`zhike:draft:${key}`, text)
  else storage.tab.remove(`zhike:draft:${key}`)
}

/** kind: message or callback. values: { field: text }, or null when it has been taken. */
export const followUpDraft = (key, kind) => JSON.parse(draft(`${kind}:${key}`) || 'null')
export const keepFollowUpDraft = (key, kind, values) => keepDraft(`${kind}:${key}`, values && JSON.stringify(values))

/** Stars given, by talk and seq: the card goes on saying thank you after a reload. */
export const RATED = 'zhike:rated:'
export const rated = (talkId, seq) => storage.getJson(`${RATED}${talkId}:${seq}`)
export const keepRated = (talkId, seq, score) => storage.setJson(`${RATED}${talkId}:${seq}`, score)
