// Which files may be sent as pictures.
export const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
export const PICTURE_MOST_BYTES = 5 * 1024 * 1024
export const PICTURES_AT_ONCE = 9

/** Why a file cannot be sent, or ''. */
export function whyNoPicture(file) {
  if (!PICTURE_TYPES.includes(file.type)) return `「${file.name}」不是能发的图片，请用 JPG、PNG、WebP 或 GIF。`
  return file.size > PICTURE_MOST_BYTES ? `「${file.name}」超过 5 MB，压缩一下再发吧。` : ''
}
