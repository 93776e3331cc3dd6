// Storage that never throws: blocked (private mode, third-party frame) or full, the page goes on with what it has in
// memory – only a reload then forgets.

function drawer(open) {
  const memory = new Map()

  function area() {
    try {
      return open()
    } catch {
      return null
    }
  }

  return {
    get(key) {
      if (memory.has(key)) return memory.get(key)
      try {
        return area()?.getItem(key) ?? null
      } catch {
        return null
      }
    },
    set(key, value) {
      try {
        const store = area()
        if (!store) throw new Error('blocked')
        store.setItem(key, value)
        memory.delete(key)
      } catch {
        memory.set(key, value)
      }
    },
    remove(key) {
      memory.delete(key)
      try {
        area()?.removeItem(key)
      } catch {
        // Blocked: it was in memory only.
      }
    },
    keys(prefix) {
      const found = new Set([...memory.keys()].filter((key) => key.startsWith(prefix)))
      try {
        const store = area()
        for (let i = 0; store && i < store.length; i += 1) if (store.key(i).startsWith(prefix)) found.add(store.key(i))
      } catch {
        // Blocked: what is in memory is all there is.
      }
      return [...found]
    },
  }
}

/** What all tabs share, and what is this tab's own (it lives through a reload). */
export const { get, set, remove, keys } = drawer(() => window.localStorage)
export const tab = drawer(() => window.sessionStorage)

export function getJson(key) {
  try {
    return JSON.parse(get(key))
  } catch {
    return null
  }
}

export const setJson = (key, value) => set(key, JSON.stringify(value))

/** randomUUID exists on https only; the page must also work on a plain http address inside a shop's network. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** One tab at a time where the browser can; without locks everything done inside is safe to do twice. */
export async function withLock(name, work) {
  if (!navigator.locks) return work()
  let begun = false
  try {
    return await navigator.locks.request(name, () => {
      begun = true
      return work()
    })
  } catch (error) {
    // Locks are refused where storage is (a third-party frame with cookies blocked).
    if (begun) throw error
    return work()
  }
}
