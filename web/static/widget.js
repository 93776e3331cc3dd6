// Zhike on any page of a shop, with one line:
//   <script src="https://kefu.example.com/widget.js" data-token="…" async></script>
// data-token: the signed-in customer's token (leave it out for visitors). data-label: the button's name.
// A page that signs in or out without loading anew calls window.Zhike.setToken(token | null); open() and close() too.
;(() => {
  'use strict'
  const script = document.currentScript
  if (!script || window.Zhike) return

  const origin = new URL(script.src, location.href).origin
  const label = script.dataset.label || '联系客服'
  const USED = 'zhike:used'
  const phone = matchMedia('(max-width: 599px), (max-height: 480px)')
  let token = script.dataset.token || null
  let frame = null
  let open = false
  let unread = 0
  let scrollBefore = ''

  const CSS = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    .launcher, .panel { position: fixed; z-index: 2147483000; }
    .launcher { right: calc(22px + env(safe-area-inset-right)); bottom: calc(22px + env(safe-area-inset-bottom)); width: 58px; height: 58px;
      display: grid; place-items: center; padding: 0; border: 0; border-radius: 50%; background: linear-gradient(135deg, #14857b, #0b625b);
      color: #fff; cursor: pointer; box-shadow: 0 6px 20px rgb(11 90 84 / 35%); transition: transform .18s; touch-action: manipulation; }
    .launcher:hover { transform: translateY(-2px); }
    .launcher:focus-visible { outline: 3px solid #0f766e; outline-offset: 3px; }
    .launcher svg { width: 30px; height: 30px; }
    .launcher .down, .launcher[aria-expanded=true] .talk { display: none; }
    .launcher[aria-expanded=true] .down { display: block; }
    .badge { position: absolute; top: -3px; right: -3px; min-width: 21px; height: 21px; padding: 0 6px; border-radius: 11px; background: #c0341d;
      border: 2px solid #fff; color: #fff; font: 600 11.5px/17px "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; text-align: center; }
    .badge[hidden] { display: none; }
    .panel { right: calc(22px + env(safe-area-inset-right)); bottom: calc(94px + env(safe-area-inset-bottom)); width: 400px; max-width: calc(100vw - 44px);
      height: 640px; max-height: calc(100vh - 120px); border-radius: 20px; overflow: hidden; background: #f7f4ee;
      box-shadow: 0 2px 6px rgb(40 30 10 / 10%), 0 18px 50px rgb(40 30 10 / 24%);
      transition: opacity .18s, transform .2s cubic-bezier(.2,.7,.3,1), visibility 0s .2s; opacity: 0; transform: translateY(14px) scale(.98); visibility: hidden; }
    .panel.open { opacity: 1; transform: none; visibility: visible; transition-delay: 0s; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    @media (max-width: 599px), (max-height: 480px) {
      .panel { inset: auto 0 0; width: 100%; max-width: none; height: 100%; max-height: none; border-radius: 0; transform: translateY(40px); }
      .launcher[aria-expanded=true] { visibility: hidden; }
    }
    @media (prefers-reduced-motion: reduce) { .launcher, .panel { transition: none; } }
    @media print { .launcher, .panel { display: none; } }`

  // A shadow root: neither the shop's styles reach in here nor ours out there.
  const host = document.createElement('div')
  host.id = 'zhike-widget'
  const root = host.attachShadow({ mode: 'open' })
  try {
    // A constructed sheet also works where the shop's own CSP forbids style elements.
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(CSS)
    root.adoptedStyleSheets = [sheet]
  } catch {
    root.appendChild(document.createElement('style')).textContent = CSS
  }

  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'launcher'
  button.setAttribute('aria-expanded', 'false')
  button.setAttribute('aria-haspopup', 'dialog')
  button.append(
    drawing(
      'talk',
      'M6.5 5h11A3.5 3.5 0 0 1 21 8.5v5a3.5 3.5 0 0 1-3.5 3.5H12l-4.8 3.7V17h-.7A3.5 3.5 0 0 1 3 13.5v-5A3.5 3.5 0 0 1 6.5 5zM8.3 11.2h.01M12 11.2h.01M15.7 11.2h.01',
    ),
    drawing('down', 'm6 9.5 6 6 6-6'),
  )
  const badge = document.createElement('span')
  badge.className = 'badge'
  badge.hidden = true
  badge.setAttribute('aria-hidden', 'true')
  button.append(badge)

  const panel = document.createElement('div')
  panel.className = 'panel'
  panel.setAttribute('role', 'dialog')
  panel.setAttribute('aria-label', '在线客服')

  function drawing(name, d) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
    svg.setAttribute('class', name)
    svg.setAttribute('viewBox', '0 0 24 24')
    svg.setAttribute('aria-hidden', 'true')
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
    for (const [key, value] of Object.entries({
      d,
      fill: 'none',
      stroke: 'currentColor',
      'stroke-width': 2,
      'stroke-linecap': 'round',
      'stroke-linejoin': 'round',
    }))
      path.setAttribute(key, value)
    svg.append(path)
    return svg
  }

  function load() {
    if (frame) return
    frame = document.createElement('iframe')
    frame.title = '在线客服'
    frame.allow = 'clipboard-write'
    // The frame must know who holds it to answer nobody else, even on a page that sends no referrer.
    frame.referrerPolicy = 'origin'
    frame.src = `${origin}/?embedded=1`
    panel.append(frame)
  }

  const tell = (message) => frame?.contentWindow?.postMessage(message, origin)

  function name() {
    button.setAttribute('aria-label', open ? '收起客服窗口' : unread ? `${label}，${unread} 条新消息` : label)
    badge.textContent = unread > 99 ? '99+' : String(unread)
    badge.hidden = open || !unread
  }

  function toggle(next, { focus = true } = {}) {
    if (open === next) return
    open = next
    if (open) load()
    panel.classList.toggle('open', open)
    panel.setAttribute('aria-modal', String(open && phone.matches))
    button.setAttribute('aria-expanded', String(open))
    remember()
    fit()
    // On a phone the sheet covers the page; the page must not scroll behind it.
    if (open && phone.matches) {
      scrollBefore = document.documentElement.style.overflow
      document.documentElement.style.overflow = 'hidden'
    } else if (!open) document.documentElement.style.overflow = scrollBefore
    name()
    tell({ type: 'zhike:visible', visible: open })
    if (focus) (open ? frame : button).focus()
  }

  // A page later the customer still sees whether somebody has answered: the frame is then loaded hidden.
  function remember() {
    try {
      sessionStorage.setItem(USED, '1')
    } catch {
      // Blocked: no badge before the window is opened, nothing worse.
    }
  }

  function used() {
    try {
      return sessionStorage.getItem(USED) === '1'
    } catch {
      return false
    }
  }

  // iOS lays the keyboard over the page; the sheet is kept as tall as what is left.
  function fit() {
    const view = window.visualViewport
    if (!view) return
    const full = open && phone.matches && view.scale <= 1.05
    panel.style.height = full ? `${view.height}px` : ''
    panel.style.top = full ? `${view.offsetTop}px` : ''
    panel.style.bottom = full ? 'auto' : ''
  }

  window.addEventListener('message', (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return
    const { type, count } = event.data ?? {}
    if (type === 'zhike:ready') {
      tell({ type: 'zhike:visible', visible: open })
      tell({ type: 'zhike:token', token })
    }
    if (type === 'zhike:close') toggle(false)
    if (type === 'zhike:unread' && Number.isInteger(count) && count >= 0) {
      unread = count
      name()
    }
  })
  document.addEventListener(
    'keydown',
    (event) => event.key === 'Escape' && open && !event.defaultPrevented && toggle(false),
  )
  button.addEventListener('click', () => toggle(!open))
  window.visualViewport?.addEventListener('resize', fit)
  window.visualViewport?.addEventListener('scroll', fit)
  phone.addEventListener('change', fit)

  window.Zhike = {
    open: () => toggle(true),
    close: () => toggle(false),
    setToken(next) {
      token = next || null
      tell({ type: 'zhike:token', token })
    },
  }

  function mount() {
    name()
    root.append(panel, button)
    document.body.append(host)
    if (used()) (window.requestIdleCallback ?? setTimeout)(load)
  }
  if (document.body) mount()
  else document.addEventListener('DOMContentLoaded', mount, { once: true })
})()
