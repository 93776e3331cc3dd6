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

export const draft = (key) => storage.get(`zhike:draft:${key}`) || ''

export function keepDraft(key, text) {
  if (text) storage.set(`zhike:draft:${key}`, text)
  else storage.remove(`zhike:draft:${key}`)
}

/** Stars given, by talk and seq: the card goes on saying thank you after a reload. */
export const rated = (talkId, seq) => storage.getJson(`zhike:rated:${talkId}:${seq}`)
export const keepRated = (talkId, seq, score) => storage.setJson(`zhike:rated:${talkId}:${seq}`, score)
