// A short beep, made on the spot: no sound file to load. Browsers keep sound off until the first click or key on the page.
let context = null

export function unlockSound() {
  const Audio = window.AudioContext || window.webkitAudioContext
  if (!Audio) return
  context ||= new Audio()
  if (context.state === 'suspended') context.resume().catch(() => {})
}

/** 'queue' sounds twice and higher, 'message' once, so that they can be told apart without looking. */
export function beep(kind) {
  if (!context || context.state !== 'running') return
  const notes = kind === 'queue' ? [880, 1174] : [660]
  notes.forEach((frequency, index) => {
    const start = context.currentTime + index * 0.16
    const oscillator = context.createOscillator()
    const gain = context.createGain()
    oscillator.frequency.value = frequency
    oscillator.type = 'sine'
    gain.gain.setValueAtTime(0.0001, start)
    gain.gain.exponentialRampToValueAtTime(0.12, start + 0.015)
    gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.15)
    oscillator.connect(gain).connect(context.destination)
    oscillator.start(start)
    oscillator.stop(start + 0.16)
  })
}
