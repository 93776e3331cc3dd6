// The administration's calls (docs/api.md, "Administration").
import { request } from '../api.js'

const LOADING_MS = 180_000 // the brain loads a model before the answer comes
const call = (method, path, body, options = {}) => request(method, path, body, { base: '/api/v1/admin', ...options })

export const admin = {
  groups: (state) => call('GET', `/learning/groups?state=${state}`),
  intents: () => call('GET', '/learning/intents'),
  assign: (intent, phrases) => call('POST', '/learning/assign', { intent, phrases }),
  dismiss: (ids) => call('POST', '/learning/dismiss', { ids }),
  reopen: (ids) => call('POST', '/learning/reopen', { ids }),
  trainings: () => call('GET', '/learning/trainings'),
  train: () => call('POST', '/learning/trainings', {}),
  rollBack: () => call('POST', '/learning/rollback', {}, { timeout: LOADING_MS }),
}
