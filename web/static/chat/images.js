// Pictures before they are sent: the right kind, small enough – and made smaller when a phone's camera was generous.

export const MAX_BYTES = 5 * 1024 * 1024
const KINDS = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const LONGEST_SIDE = 2560

/** The file to send, or an Error whose message can be shown. */
export async function prepared(file) {
  if (!KINDS.includes(file.type)) throw new Error('只能发送 JPG、PNG、WebP 或 GIF 格式的图片')
  if (file.size <= MAX_BYTES) return file
  // A moving picture would stand still after being drawn anew.
  const smaller = file.type === 'image/gif' ? null : await shrunk(file)
  if (!smaller || smaller.size > MAX_BYTES) throw new Error('图片不能超过 5 MB，请换一张小一些的')
  return smaller
}

async function shrunk(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.round(bitmap.width * scale)
    canvas.height = Math.round(bitmap.height * scale)
    const paper = canvas.getContext('2d')
    paper.fillStyle = '#fff'
    paper.fillRect(0, 0, canvas.width, canvas.height)
    paper.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    bitmap.close()
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.85))
    return blob && new File([blob], file.name.replace(/\.\w+$/, '') + '.jpg', { type: 'image/jpeg' })
  } catch {
    return null
  }
}
