/** Gives bytes to the browser as a download. The name loses what a file system or a browser would take for more than a name. */
export const save = (content: Blob, name: string) => {
  const url = URL.createObjectURL(content)
  const link = document.createElement("a")
  link.href = url
  link.download = name.replaceAll(/[^\w.+-]/g, "_").replace(/^\.+/, "_").slice(0, 120) || "download"
  link.click()
  // The download has begun with the click, and needs the URL for a moment.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
