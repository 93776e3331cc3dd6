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
  /** 'transfer' | 'close' | 'articles' | 'ticket' | 'coupon' | 'callBack' | 'password' | null */
  dialog: null,
  /** What lies over the right side, the last one on top: { kind: 'order' | 'transcript' | 'tasks', id?, from? }. */
  drawers: [],
  helpOpen: false,
  /** Counts how often the canned replies were asked for by key. */
  cannedAsked: 0,
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
    activeId: null, tab: 'mine', dialog: null, drawers: [], helpOpen: false, panelOpen: false, imageUrl: null, connection: 'connecting',
  })
}

/** Opened once more, it comes to the top. from: the talk whose customer's earlier talk is to be read. */
export function openDrawer(kind, id = null, from = null) {
  ui.drawers = [...ui.drawers.filter((drawer) => drawer.kind !== kind), { kind, id, from }]
  // On a narrow screen it was opened from there, and would lie under it.
  ui.panelOpen = false
}

export function closeDrawer() {
  ui.drawers = ui.drawers.slice(0, -1)
}

const store = (key, on) => {
  try {
    localStorage.setItem(key, on ? 'on' : 'off')
  } catch {
    // The setting holds until the page is left.
  }
}
// An order or an earlier talk belongs to the talk it was opened from; the tasks are the agent's own.
watch(
  () => ui.activeId,
  () => (ui.drawers = ui.drawers.filter((drawer) => drawer.kind === 'tasks')),
)
watch(() => ui.sound, (on) => store('zhike.desk.sound', on))
watch(() => ui.suggestionsOpen, (on) => store('zhike.desk.suggestions', on))
