// One talk, listened in on: all lines once, then what comes; asked for again now and then in case a push was lost.
import { onUnmounted, reactive } from 'vue'
import { api } from '../api.js'
import { mergeMessages, newestSeq } from '../lib/messages.js'
import { follow } from './live.js'
import { polling } from './poll.js'

const EVERY_MS = 5000

export function useTranscript(id) {
  const shown = reactive({ conversation: null, customer: null, messages: [], loading: true, error: '' })

  async function load() {
    try {
      const answer = await api.talk(id)
      shown.conversation = answer.conversation
      shown.customer = answer.customer
      shown.messages = mergeMessages(shown.messages, answer.messages)
      shown.error = ''
    } catch (error) {
      shown.error = error.message
    } finally {
      shown.loading = false
    }
  }
  async function more() {
    if (!shown.conversation) return load()
    try {
      const answer = await api.messages(id, newestSeq(shown.messages))
      shown.messages = mergeMessages(shown.messages, answer.messages)
      shown.error = ''
      if (answer.state !== shown.conversation.state || answer.agent?.id !== shown.conversation.agent?.id) await load()
    } catch (error) {
      shown.error = error.message
    }
  }

  const turns = polling(more, EVERY_MS)
  turns.start()
  const stop = follow({
    id,
    message: (message) => (shown.messages = mergeMessages(shown.messages, [message])),
    state: load,
    connected: turns.soon,
  })
  onUnmounted(() => {
    stop()
    turns.stop()
  })
  return { shown, reload: load, hurry: turns.soon }
}
