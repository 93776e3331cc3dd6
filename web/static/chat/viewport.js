// A phone's keyboard lies over the page without making it smaller (iOS). The page is therefore made as tall as what can
// be seen, so that the composer stays above the keyboard.

export function followViewport() {
  const view = window.visualViewport
  if (!view) return
  const root = document.documentElement
  const fit = () => {
    // While the page is pinched larger, the visible part says nothing about the keyboard.
    if (view.scale > 1.05) return
    root.style.setProperty('--app-height', `${Math.round(view.height)}px`)
    root.style.setProperty('--app-top', `${Math.max(0, Math.round(view.offsetTop))}px`)
    root.classList.toggle('keyboard', window.innerHeight - view.height > 140)
  }
  view.addEventListener('resize', fit)
  view.addEventListener('scroll', fit)
  fit()
}
