// The supervisors' calls (docs/api.md, "Supervisors").
import { request } from '../api.js'
import { newId } from '../lib/id.js'

const call = (method, path, body) => request(method, path, body, { base: '/api/v1/supervisor' })
const safe = encodeURIComponent

export const supervisor = {
  board: () => call('GET', '/board'),
  trends: (days) => call('GET', `/trends?days=${days}`),

  talks: (state) => call('GET', `/talks?state=${state}`),
  takeOver: (id) => call('POST', `/talks/${safe(id)}/take-over`, {}),
  reassign: (id, target) => call('POST', `/talks/${safe(id)}/reassign`, target),
  /** A supervisor's note: the talk's agent sees it, the customer never. */
  whisper: (id, text) => request('POST', `/conversations/${safe(id)}/notes`, { text, client_message_id: newId() }),

  setAgent: (name, change) => call('PUT', `/agents/${safe(name)}`, change),
  setPresence: (name, state) => call('PUT', `/agents/${safe(name)}/presence`, { state }),

  hours: () => call('GET', '/hours'),
  saveHours: (plan) => call('PUT', '/hours', plan),

  assignments: (talkId) => call('GET', `/assignments?${talkId ? `conversation=${safe(talkId)}` : 'limit=50'}`),
  fairness: (days) => call('GET', `/fairness?days=${days}`),
}
