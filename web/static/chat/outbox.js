// Own lines the server has not confirmed yet. One storage key per line: two tabs writing one list would overwrite each
// other. Pictures are too big for localStorage, their bytes lie in IndexedDB under the same id.

import { byWriting } from './store.js'
import * as storage from './storage.js'

let counter = 0

export function createOutbox(identityKey) {
  const prefix = `zhike:out:${identityKey}:`

  const items = () =>
    storage
      .keys(prefix)
      .map((key) => storage.getJson(key))
      .filter((item) => item?.client_message_id)
      .sort(byWriting)

  return {
    prefix,
    items,
    /** The oldest line still to be sent; read anew each time, as another tab may have sent it meanwhile. */
    next: () => items().find((item) => !item.failed) ?? null,
    add(kind, text, afterSeq, id = storage.newId()) {
      counter += 1
      const item = {
        client_message_id: id,
        kind,
        text,
        created_at: new Date().toISOString(),
        after_seq: afterSeq,
        n: counter,
      }
      storage.setJson(prefix + id, item)
      return item
    },
    remove(id) {
      storage.remove(prefix + id)
      dropBlob(id)
    },
    fail(item, detail) {
      storage.setJson(prefix + item.client_message_id, { ...item, failed: detail })
    },
  }
}

// --- pictures -------------------------------------------------------------------------------------------------------

const inMemory = new Map()
let database

function open() {
  database ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open('zhike-outbox', 1)
      request.onupgradeneeded = () => request.result.createObjectStore('blobs')
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => resolve(null)
      request.onblocked = () => resolve(null)
    } catch {
      resolve(null)
    }
  })
  return database
}

async function run(mode, work) {
  const db = await open()
  if (!db) return null
  return new Promise((resolve) => {
    try {
      const transaction = db.transaction('blobs', mode)
      const request = work(transaction.objectStore('blobs'))
      // Only the end of the transaction says that it is on the disk.
      transaction.oncomplete = () => resolve(request.result ?? null)
      transaction.onerror = transaction.onabort = () => resolve(null)
    } catch {
      resolve(null)
    }
  })
}

export async function keepBlob(id, file) {
  inMemory.set(id, file)
  await run('readwrite', (store) => store.put(file, id))
}

export async function loadBlob(id) {
  return inMemory.get(id) ?? (await run('readonly', (store) => store.get(id)))
}

function dropBlob(id) {
  inMemory.delete(id)
  run('readwrite', (store) => store.delete(id))
}
