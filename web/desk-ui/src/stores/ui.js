// What is open on the page, and the agent's own settings of it.
import { reactive, watch } from 'vue'

const setting = (key, fallback) => {
  try {
    return localStorage.getItem(key) ?? fallback
  } catch {
    return fallback
  }
}

export const ui = reactive({
  activeId: null,
  tab: 'mine',
  /** 'transfer' | 'close' | null */
  dialog: null,
  helpOpen: false,
  /** The customer's picture as a drawer, on narrow screens. */
  panelOpen: false,
  imageUrl: null,
  /** 'connecting' | 'online' | 'reconnecting' */
  connection: 'connecting',
  sound: setting('zhike.desk.sound', 'on') === 'on',
  suggestionsOpen: setting('zhike.desk.suggestions', 'on') === 'on',
})

export function resetUi() {
  Object.assign(ui, {
    activeId: null, tab: 'mine', dialog: null, helpOpen: false, panelOpen: false, imageUrl: null, connection: 'connecting',
  })
}

const store = (key, on) => {
  try {
    localStorage.setItem(key, on ? 'on' : 'off')
  } catch {
    // The setting holds until the page is left.
  }
}
watch(() => ui.sound, (on) => store('zhike.desk.sound', on))
watch(() => ui.suggestionsOpen, (on) => store('zhike.desk.suggestions', on))
