// The menu of canned replies in the composer: opened by a slash in the text or by its button, steered by the keyboard.
import { computed, ref } from 'vue'
import { fillVariables, filterReplies, slashQuery } from '../lib/canned.js'
import { directory } from '../stores/directory.js'

/**
 * read() gives { text, caret }; put(from, to, insert) replaces a piece of the text; names() gives { customer, agent }.
 */
export function useCanned({ read, put, names }) {
  /** null: closed; otherwise where the piece begins that a reply will replace, and what is searched for. */
  const search = ref(null)
  const index = ref(0)
  const replies = computed(() => (search.value ? filterReplies(directory.replies, search.value.query) : []))
  const open = computed(() => search.value != null)
  // Esc closes the menu for the slash that stands there; typing on must not bring it back.
  let dismissedAt = -1

  /** After each change of the text or move of the caret. */
  function look() {
    const { text, caret } = read()
    const query = slashQuery(text, caret)
    if (query == null) {
      dismissedAt = -1
      search.value = null
      return
    }
    const from = caret - query.length - 1
    if (from === dismissedAt) return
    if (search.value?.query !== query) index.value = 0
    search.value = { from, query }
  }

  function openByButton() {
    index.value = 0
    search.value = search.value ? null : { from: read().caret, query: '' }
  }

  function close() {
    if (search.value) dismissedAt = search.value.from
    search.value = null
  }

  function choose(reply) {
    const { from, query } = search.value
    const { text } = read()
    const slash = text[from] === '/' ? query.length + 1 : 0
    search.value = null
    put(from, from + slash, fillVariables(reply.text, names()))
  }

  /** Returns true when the key was for the menu. */
  function onKey(event) {
    if (!open.value) return false
    if (event.key === 'Escape') {
      close()
      return true
    }
    if (!replies.value.length) return false
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step && !event.altKey) {
      index.value = (index.value + step + replies.value.length) % replies.value.length
      return true
    }
    if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') {
      choose(replies.value[index.value])
      return true
    }
    return false
  }

  return { open, replies, index, look, openByButton, close, choose, onKey }
}
