// Who is signed in. The token lives in sessionStorage: it survives a reload and dies with the tab.
import { reactive } from 'vue'
import { api, ApiError, onUnauthorized, setToken } from '../api.js'

const KEY = 'zhike.desk.token'

export const session = reactive({
  agent: null,
  /** True while a kept token is being tried out. */
  restoring: false,
  /** Why the agent is back at the sign-in page, in a sentence to be shown. */
  notice: '',
})

let token = sessionStorage.getItem(KEY)
setToken(token)

function keep(value) {
  token = value
  setToken(value)
  if (value) sessionStorage.setItem(KEY, value)
  else sessionStorage.removeItem(KEY)
}

export function currentToken() {
  return token
}

/** After a reload: ask who we are. Network trouble keeps the token and leaves a notice; the agent can try again. */
export async function restoreSession() {
  if (!token) return
  session.restoring = true
  session.notice = ''
  try {
    session.agent = (await api.me()).agent
  } catch (error) {
    if (error.status !== 401) session.notice = error.message
  } finally {
    session.restoring = false
  }
}

export function hasKeptToken() {
  return Boolean(token)
}

export async function signIn(name, password) {
  const answer = await api.signIn(name, password)
  keep(answer.token)
  session.notice = ''
  session.agent = answer.agent
}

const leaving = []
/** What else has to be cleared away when the agent signs out. */
export const onSignOut = (clear) => leaving.push(clear)

/** The session is over on the server's side, or is being left. Drafts and unsent lines stay where they are kept. */
export function endSession(notice = '') {
  keep(null)
  session.agent = null
  session.notice = notice
}

export async function signOut() {
  try {
    await api.signOut()
  } catch (error) {
    // Signing out has to work even when the server does not answer.
    if (!(error instanceof ApiError)) throw error
  }
  leaving.forEach((clear) => clear())
  endSession()
}

export async function setPresence(state) {
  const answer = await api.setPresence(state)
  if (!session.agent) return
  session.agent.presence = answer.state
  session.agent.away_because = ''
  if (answer.capacity != null) session.agent.capacity = answer.capacity
}

export async function refreshMe() {
  const { agent } = await api.me()
  if (session.agent) session.agent = agent
}

onUnauthorized(() => endSession('登录已失效，请重新登录。您写到一半的内容都还在。'))
