/** A random id. crypto.randomUUID is missing where the page is served without TLS (a test in the local network). */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
