// Inside the little window of widget.js on a shop's own page. Words are taken from the page that holds us and from
// nobody else; they are sent to that page's address only, once it is known.

export function createEmbed({ onToken, onVisible }) {
  const parent = window.parent
  let origin = parentOrigin()
  let visible = false

  window.addEventListener('message', (event) => {
    if (event.source !== parent || parent === window) return
    if (origin && event.origin !== origin) return
    const { type, token } = event.data ?? {}
    if (typeof type !== 'string' || !type.startsWith('zhike:')) return
    origin ||= event.origin
    if (type === 'zhike:token' && (typeof token === 'string' || token === null)) onToken(token)
    if (type === 'zhike:visible') {
      visible = event.data.visible === true
      onVisible(visible)
    }
  })

  const tell = (type, rest = {}) => parent !== window && parent.postMessage({ type, ...rest }, origin || '*')

  return {
    visible: () => visible,
    ready: () => tell('zhike:ready'),
    close: () => tell('zhike:close'),
    unread: (count) => tell('zhike:unread', { count }),
  }
}

// Firefox has no ancestorOrigins; the referrer names the page that holds the frame, unless it hides itself.
function parentOrigin() {
  try {
    if (location.ancestorOrigins?.length) return location.ancestorOrigins[0]
    return document.referrer ? new URL(document.referrer).origin : ''
  } catch {
    return ''
  }
}
