// Lists that change seldom: canned replies, reasons for closing, tags, kinds of tickets, colleagues and skill groups.
import { reactive } from 'vue'
import { api } from '../api.js'

export const directory = reactive({
  replies: [], reasons: [], agents: [], skills: [], tags: [], ticketKinds: [], error: '',
})

const load = async (request, apply) => {
  try {
    apply(await request())
    directory.error = ''
  } catch (error) {
    directory.error = error.message
  }
}

export const loadReplies = () => load(api.cannedReplies, ({ replies }) => (directory.replies = replies))
export const loadReasons = () => load(api.closeReasons, ({ reasons }) => (directory.reasons = reasons))
export const loadTags = () => load(api.tags, ({ tags }) => (directory.tags = tags))
export const loadTicketKinds = () => load(api.ticketKinds, ({ kinds }) => (directory.ticketKinds = kinds))
export const loadColleagues = () => load(api.colleagues, ({ agents, skills }) => Object.assign(directory, { agents, skills }))

export function applyPresence({ agent_id, state, load: talksInHand }) {
  const colleague = directory.agents.find((agent) => agent.id === agent_id)
  if (colleague) Object.assign(colleague, { presence: state, load: talksInHand })
}

export const PRESENCE = [
  { state: 'online', label: '在线', hint: '正常接待，系统会为您分配会话' },
  { state: 'busy', label: '忙碌', hint: '继续手上的会话，暂不分配新的' },
  { state: 'away', label: '小休', hint: '暂时离开，暂不分配新的' },
  { state: 'offline', label: '离线', hint: '已下班，不再接待' },
]
export const presenceLabel = (state) => PRESENCE.find((entry) => entry.state === state)?.label || '未知'
