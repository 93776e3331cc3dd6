// A menu over the composer, opened by a sign in the text (/ for canned replies, @ for colleagues) and steered by the keys.
import { computed, ref } from 'vue'

/**
 * query(text, caret): what is searched for, or null when there is no sign; find(query): the choices; piece(choice): what is
 * put in its place. read() gives { text, caret }; put(from, to, insert) replaces a piece of the text.
 */
export function useCompletion({ sign, query, find, piece, read, put }) {
  /** null: closed; otherwise where the piece begins that a choice will replace, and what is searched for. */
  const search = ref(null)
  const index = ref(0)
  const choices = computed(() => (search.value ? find(search.value.query) : []))
  const open = computed(() => search.value != null)
  // Esc closes the menu for the sign that stands there; typing on must not bring it back.
  let dismissedAt = -1

  /** After each change of the text or move of the caret. */
  function look() {
    const { text, caret } = read()
    const wanted = query(text, caret)
    if (wanted == null) {
      dismissedAt = -1
      search.value = null
      return
    }
    const from = caret - wanted.length - 1
    if (from === dismissedAt) return
    if (search.value?.query !== wanted) index.value = 0
    search.value = { from, query: wanted }
  }

  function openByButton() {
    index.value = 0
    search.value = search.value ? null : { from: read().caret, query: '' }
  }

  function close() {
    if (search.value) dismissedAt = search.value.from
    search.value = null
  }

  function choose(choice) {
    const { from, query: wanted } = search.value
    const { text } = read()
    const signs = text[from] === sign ? wanted.length + 1 : 0
    search.value = null
    put(from, from + signs, piece(choice))
  }

  /** Returns true when the key was for the menu. */
  function onKey(event) {
    if (!open.value) return false
    if (event.key === 'Escape') {
      close()
      return true
    }
    if (!choices.value.length) return false
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step && !event.altKey) {
      index.value = (index.value + step + choices.value.length) % choices.value.length
      return true
    }
    if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab') {
      choose(choices.value[index.value])
      return true
    }
    return false
  }

  return { open, choices, index, look, openByButton, close, choose, onKey }
}
